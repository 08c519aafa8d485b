"""A swarm whose membership can be trusted: what a plan shows, and the commonest faults."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
import swarmkit
from labkit import Lab
from phonekit import docker_inventory
from swarmkit import USUAL, ask, configure, make_whole, node_id, settle, switch_off


@pytest.fixture(scope="module")
def cluster(lab: Lab) -> Iterator[Lab]:
    # Other tests formed swarms on these phones before.
    lab.output = ""
    with swarmkit.cluster(
        lab,
        {"phone-1": "manager", "phone-2": "worker", "phone-3": "manager", "phone-4": "worker"},
    ) as made:
        yield made


def test_managers_join_one_at_a_time_and_then_all_workers_together(cluster: Lab) -> None:
    step = re.compile(r"Membership swarm-(phone-\d) (creating|created)\b")
    steps = list(dict.fromkeys(step.findall(cluster.output)))
    managers, workers = steps[:4], steps[4:]
    assert managers == [
        (phone, done) for phone in ("phone-1", "phone-3") for done in ("creating", "created")
    ]
    assert sorted(workers[:2]) == [("phone-2", "creating"), ("phone-4", "creating")]
    assert sorted(workers[2:]) == [("phone-2", "created"), ("phone-4", "created")]


def test_a_plan_shows_the_phone_that_goes_and_the_one_that_is_promoted_alone(cluster: Lab) -> None:
    configure(cluster, {"phone-1": "manager", "phone-2": "manager", "phone-3": "manager"})
    shown = cluster.pulumi("preview", "--json").ok().output
    steps = json.loads(shown[shown.index("{") :])["steps"]
    changed = {(step["op"], step["urn"].rpartition("::")[2]) for step in steps}
    changed = {(op, name) for op, name in changed if op != "same"}
    gone = {(op, name) for op, name in changed if op == "delete" and "phone-4" in name}
    assert changed - gone == {("update", "swarm-phone-2")}
    assert ("delete", "swarm-phone-4") in gone
    settle(cluster)
    assert docker_inventory(cluster, "phone-4")["swarm"] == "inactive\n"


def test_four_managers_are_warned_of_with_what_they_cost(cluster: Lab) -> None:
    configure(cluster, dict.fromkeys(USUAL, "manager"))
    shown = cluster.pulumi("preview").ok().output
    assert "4 managers tolerate the loss of 1, as 3 do; make it 3" in shown


def test_a_manager_that_left_by_hand_and_a_worker_removed_by_hand_are_members_again(
    cluster: Lab,
) -> None:
    make_whole(cluster)
    cluster.on("phone-1", f"docker node rm --force {node_id(cluster, 'phone-4')}")
    # It may be the leader, without which nothing can be removed for a moment.
    cluster.on("phone-3", "docker swarm leave --force")
    shown = settle(cluster)
    assert "phone-3: the managers list it as node" in shown
    assert "phone-4: the managers do not list it any more" in shown


def test_one_manager_of_three_that_is_off_stops_nothing_but_the_loss_of_another(
    cluster: Lab,
) -> None:
    make_whole(cluster)
    listed = ask(cluster, "docker node ls --filter role=manager").splitlines()
    # The leader would be missed later than another one.
    off, other = ("phone-1", "phone-3") if _leads(listed, "phone-3") else ("phone-3", "phone-1")
    switch_off(cluster, off)
    settle(cluster, off={off})
    configure(cluster, {name: role for name, role in USUAL.items() if name != other})
    refused = cluster.pulumi("preview")
    assert refused.status != 0
    assert f"without {other}: 2 managers need 2 to answer, and 1 answers" in refused.output
    assert "Traceback" not in refused.output
    configure(cluster)
    cluster.lab("start", off).ok()
    settle(cluster)
    assert ask(cluster, "docker node ls -q").count("\n") == len(USUAL)


def _leads(listed: list[str], phone: str) -> bool:
    return any(phone in line and "Leader" in line for line in listed)
