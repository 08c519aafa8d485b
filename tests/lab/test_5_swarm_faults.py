"""What happens to phones of a swarm, and that one `up --refresh` makes it whole again."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import swarmkit
from labkit import LOOPBACK, Lab, wait_for
from phonekit import docker_inventory, switch
from swarmkit import (
    MISSED_SECONDS,
    REPLICAS,
    USUAL,
    advertised,
    all_run,
    ask,
    configure,
    make_whole,
    members,
    node_id,
    readdress,
    running,
    settle,
    switch_off,
    voters,
)

pytestmark = pytest.mark.slow

BACK_SECONDS = 90
MANAGERS = "docker node ls -q --filter role=manager"
THREE = {name: role for name, role in USUAL.items() if name != "phone-4"}


@pytest.fixture(scope="module")
def cluster(lab: Lab) -> Iterator[Lab]:
    lab.lab("up", "6").ok()
    with swarmkit.cluster(lab) as made:
        yield made


@pytest.fixture(autouse=True)
def _whole(cluster: Lab) -> None:
    make_whole(cluster)


def test_a_worker_is_off_and_comes_back(cluster: Lab) -> None:
    switch_off(cluster, "phone-4")
    settle(cluster, off={"phone-4"})
    cluster.lab("start", "phone-4").ok()
    settle(cluster)


def test_the_managers_leader_dies_and_its_tasks_run_elsewhere_in_about_a_minute(
    cluster: Lab,
) -> None:
    is_leader = "docker node inspect self --format '{{.ManagerStatus.Leader}}'"
    leader = next(phone for phone in THREE if cluster.on(phone, is_leader) == "true\n")
    started = time.monotonic()
    switch_off(cluster, leader)
    assert wait_for(lambda: len(running(cluster)["still_web"]) == REPLICAS, MISSED_SECONDS)
    # An election, six heartbeats and a restart: 60 s at most where nothing else runs.
    assert time.monotonic() - started < 75
    cluster.lab("start", leader).ok()
    settle(cluster)


def test_the_majority_of_the_managers_is_off_and_comes_back(cluster: Lab) -> None:
    for phone in ("phone-1", "phone-3"):
        cluster.lab("stop", phone).ok()
    for phone in ("phone-1", "phone-3"):
        cluster.lab("start", phone).ok()
    settle(cluster)


@pytest.mark.parametrize("phone", ["phone-1", "phone-4"])
def test_a_blank_machine_takes_a_phones_place(cluster: Lab, phone: str) -> None:
    before = node_id(cluster, phone)
    cluster.lab("replace", phone).ok()
    cable = ("--cable", f"{LOOPBACK}:220{phone[-1]}")
    cluster.operations("adopt", phone, *cable, "--yes").ok()
    settle(cluster)
    assert node_id(cluster, phone) != before
    assert before not in ask(cluster, "docker node ls -q")


def test_a_manager_removed_by_hand_while_it_runs_has_but_one_vote_when_it_is_back(
    cluster: Lab,
) -> None:
    removed = node_id(cluster, "phone-3")
    cluster.on("phone-1", f"docker node demote {removed} && docker node rm --force {removed}")
    # It is not told, and votes again half a minute later.
    assert wait_for(lambda: removed not in voters(cluster, "phone-2"), BACK_SECONDS)
    assert wait_for(lambda: removed in voters(cluster, "phone-2"), MISSED_SECONDS)
    settle(cluster)
    assert voters(cluster, "phone-2") == set(ask(cluster, MANAGERS).split())
    switch_off(cluster, "phone-1")
    settle(cluster, off={"phone-1"})
    cluster.lab("start", "phone-1").ok()
    settle(cluster)


def test_all_phones_are_rebooted_at_once(cluster: Lab) -> None:
    with ThreadPoolExecutor() as pool:
        for done in pool.map(lambda phone: cluster.lab("reboot", phone), USUAL):
            done.ok()
    assert wait_for(lambda: _answers(cluster), BACK_SECONDS)
    settle(cluster)


def test_four_phones_become_two_and_five_with_roles_swapped(cluster: Lab) -> None:
    configure(cluster, {"phone-2": "worker", "phone-4": "manager"})
    settle(cluster)
    configure(
        cluster,
        {
            "phone-1": "worker",
            "phone-2": "manager",
            "phone-3": "manager",
            "phone-4": "worker",
            "phone-5": "manager",
        },
    )
    settle(cluster)


def test_the_only_manager_is_replaced_by_a_phone_that_was_never_known_as_one(cluster: Lab) -> None:
    workers = dict.fromkeys(("phone-2", "phone-3", "phone-4", "phone-5"), "worker")
    make_whole(cluster, {"phone-1": "manager", **workers, "phone-6": "worker"})
    # The record of phones by which the swarm is reached has five.
    configure(cluster, {**workers, "phone-6": "manager"})
    settle(cluster)
    assert docker_inventory(cluster, "phone-1")["swarm"] == "inactive\n"


def test_tokens_are_rotated_between_two_joins(cluster: Lab) -> None:
    before = cluster.outputs(secrets=True)
    make_whole(cluster, THREE)
    configure(cluster, THREE, tokenEpoch=1)
    settle(cluster)
    after = cluster.outputs(secrets=True)
    for token in ("workerJoinToken", "managerJoinToken"):
        assert before[token] != after[token]
    joins = ask(cluster, "docker swarm join-token --quiet worker").strip()
    assert joins == after["workerJoinToken"]
    configure(cluster, tokenEpoch=1)
    settle(cluster)


def test_the_clock_of_a_phone_that_joins_is_two_hours_wrong(cluster: Lab) -> None:
    make_whole(cluster, THREE)
    cluster.lab("clock", "phone-4", "-7200").ok()
    configure(cluster)
    settle(cluster)
    wrong = int(cluster.on("phone-4", "date +%s")) - int(cluster.on("phone-1", "date +%s"))
    assert abs(wrong) <= 5


def test_an_address_changes_and_the_plan_says_that_the_phone_leaves_and_joins(
    cluster: Lab,
) -> None:
    before = node_id(cluster, "phone-4")
    old, new = _move(cluster, "phone-4")
    # The old address stays: the managers go on hearing from the phone there.
    cluster.on("phone-4", f"ip address add {new}/24 dev wlan0")
    try:
        plan = cluster.pulumi("preview").ok().output
        assert (
            f"phone-4: the swarm knows it at {old}, and it is at {new}. Swarm cannot change that, "
            "so the phone leaves and joins again"
        ) in plan
        settle(cluster)
        assert node_id(cluster, "phone-4") != before
        assert advertised(cluster, "phone-4") == new
    finally:
        cluster.on("phone-4", f"ip address del {new}/24 dev wlan0")


def test_a_phone_that_got_another_address_while_it_was_off_leaves_and_joins(cluster: Lab) -> None:
    before = node_id(cluster, "phone-4")
    old, new = _move(cluster, "phone-4")
    readdress(cluster, "phone-4", new)
    try:
        # The managers hear from it at its new address, and its Docker still tells the old one.
        assert wait_for(lambda: " ready " in members(cluster)["phone-4"], BACK_SECONDS)
        assert advertised(cluster, "phone-4") == old
        settle(cluster)
        assert node_id(cluster, "phone-4") != before
        assert advertised(cluster, "phone-4") == new
    finally:
        readdress(cluster, "phone-4", old)


def test_a_phone_in_an_old_swarm_is_taken_out_of_it_but_not_out_of_one_that_it_manages(
    cluster: Lab,
) -> None:
    make_whole(cluster, THREE)
    for phone in ("phone-4", "phone-5"):
        switch(cluster, phone, "start", "docker")
        cluster.on(phone, "until docker info >/dev/null 2>&1; do sleep 0.5; done")
    configure(cluster, {**USUAL, "phone-5": "worker"})
    # Not the phone whose firewall keeps every swarm out that is not the lab's.
    address = cluster.value("phones")["phone-5"]["address"]
    cluster.on("phone-5", f"docker swarm init --advertise-addr {address}")
    token = cluster.on("phone-5", "docker swarm join-token --quiet worker").strip()
    cluster.on("phone-4", f"docker swarm join --token {token} {address}:2377")
    refused = cluster.up()
    assert refused.status != 0
    assert "phone-5 manages another swarm (" in refused.output
    assert "run `docker swarm leave --force` on it if that swarm is to go" in refused.output
    cluster.on("phone-5", "docker swarm leave --force")
    settle(cluster)


def _move(lab: Lab, phone: str) -> tuple[str, str]:
    """Gives the phone another address in the configuration; the one before, and that one."""
    phones = lab.value("phones")
    old: str = phones[phone]["address"]
    new = f"{old.rpartition('.')[0]}.9{phone[-1]}"
    phones[phone]["address"] = new
    lab.configure(stacks=swarmkit.STACKS, phones=phones)
    return old, new


def _answers(lab: Lab) -> bool:
    try:
        return all(" ready " in place for place in members(lab).values()) and all_run(lab)
    except (AssertionError, subprocess.TimeoutExpired):
        return False
