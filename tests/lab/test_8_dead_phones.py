"""Phones that are off while their lab changes or ends: the rest goes on, and they find back."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator

import pytest
from labkit import PHONES, Lab, wait_for
from phonekit import docker_inventory, snapshot

pytestmark = pytest.mark.slow

# Docker's own words for it, which say nothing to a person.
BARE = ("node lost leader status", "does not have a leader", "DeadlineExceeded")
WAYS_OUT = "Start the managers that are off; if they are lost for good, `make recover PHONE=…`"
STACKS = {"portainer": {"file": "stacks/portainer.yml"}}


@pytest.fixture
def cluster(lab: Lab, as_found: dict[str, dict[str, str]]) -> Iterator[Lab]:
    """Three managers, a worker and one stack; all phones are on again after each test."""
    assert as_found.keys() == set(PHONES)
    lab.configure(stacks=STACKS)
    lab.up().ok()
    yield lab
    for phone in PHONES:
        lab.lab("start", phone).ok()
    lab.configure(stacks=STACKS)


def whole(lab: Lab, phones: Collection[str] = PHONES) -> None:
    """Just these phones are members, all ready; the stack runs, and no plan changes anything."""
    # A phone that was off is heard of within a few heartbeats.
    assert wait_for(lambda: members(lab) == dict.fromkeys(phones, "ready"), 90), members(lab)
    assert wait_for(lambda: runs(lab), 90)
    lab.pulumi("preview", "--expect-no-changes").ok()


def members(lab: Lab) -> dict[str, str]:
    """What the managers say of each phone, by its label."""
    ids = "docker node ls -q | xargs docker node inspect -f"
    listed = lab.on("phone-1", f"{ids} '{{{{json .Spec.Labels}}}} {{{{.Status.State}}}}'")
    pairs = (line.rsplit(" ", 1) for line in listed.splitlines())
    return {json.loads(labels).get("cloudlet.phone", "?"): state for labels, state in pairs}


def runs(lab: Lab) -> bool:
    listed = lab.on("phone-1", "docker service ls --format '{{.Replicas}}'").split()
    return len(listed) == 2 and all(len(set(one.split("/"))) == 1 for one in listed)


@pytest.mark.parametrize(
    "dead",
    [
        pytest.param(("phone-4",), id="a worker"),
        pytest.param(("phone-3",), id="a manager of three"),
        pytest.param(("phone-1",), id="the entry phone"),
        pytest.param(("phone-2", "phone-3"), id="the majority"),
    ],
)
def test_a_lab_ends_though_phones_are_dead_and_they_find_back_into_the_next(
    cluster: Lab, as_found: dict[str, dict[str, str]], dead: tuple[str, ...]
) -> None:
    for phone in dead:
        cluster.lab("stop", phone).ok()
    ended = cluster.destroy().ok()
    assert ended.seconds < 120
    assert "resources" not in json.loads(cluster.export())["deployment"]
    for phone in PHONES:
        left = f"Left on {phone}: its place in the swarm, Docker as cloudlet set it up. When it is"
        assert (left in ended.output) == (phone in dead)
        if phone in dead:
            assert f"{phone} does not answer at" in ended.output
        else:
            found = {**docker_inventory(cluster, phone), **snapshot(cluster, phone)}
            assert found == {key: as_found[phone][key] for key in found}
    assert not any(words in ended.output for words in BARE)
    for phone in dead:
        cluster.lab("start", phone).ok()
    if len(dead) == 2:
        # Together they are the old swarm again, with all that ran in it.
        assert "run `docker stack rm portainer` on" in cluster.up().output
        cluster.on("phone-2", "docker stack rm portainer")
        networks = "docker network ls -q -f name=portainer_agents"
        assert wait_for(lambda: cluster.on("phone-2", networks) == "", 60)
    cluster.up().ok()
    whole(cluster)


@pytest.mark.parametrize(
    "dead", [pytest.param("phone-4", id="a worker"), pytest.param("phone-3", id="a manager")]
)
def test_a_dead_phone_is_taken_out_of_the_configuration_and_in_again(
    cluster: Lab, dead: str
) -> None:
    phones = cluster.value("phones")
    rest = {name: phone for name, phone in phones.items() if name != dead}
    cluster.lab("stop", dead).ok()
    cluster.configure(stacks=STACKS, phones=rest)
    done = cluster.up().ok()
    assert f"Left on {dead}: its place in the swarm" in done.output
    whole(cluster, rest)
    cluster.lab("start", dead).ok()
    cluster.configure(stacks=STACKS)
    cluster.up().ok()
    whole(cluster)


def test_a_lost_majority_is_told_in_words_with_the_ways_out_and_ends_when_managers_are_back(
    cluster: Lab,
) -> None:
    for phone in ("phone-2", "phone-3"):
        cluster.lab("stop", phone).ok()
    # A leader gives its list until it has missed the others.
    led = "docker node ls >/dev/null 2>&1 && echo yes || echo no"
    assert wait_for(lambda: cluster.on("phone-1", led) == "no\n", 60)
    phones = cluster.value("phones")
    phones["phone-4"]["labels"] = {"shelf": "top"}
    cluster.configure(stacks=STACKS, phones=phones)
    for done in (cluster.pulumi("refresh", "--yes"), cluster.up()):
        assert done.status != 0
        assert done.seconds < 120
        assert "the swarm has lost the majority of its managers: " in done.output
        assert WAYS_OUT in done.output
        assert not any(words in done.output for words in BARE), done.output
        assert "Traceback" not in done.output
    shown = cluster.operations("status").ok()
    assert WAYS_OUT in shown.output
    assert not any(words in shown.output for words in BARE), shown.output
    for phone in ("phone-2", "phone-3"):
        cluster.lab("start", phone).ok()
    assert wait_for(lambda: WAYS_OUT not in cluster.operations("status").output, 60)
    cluster.up().ok()
    whole(cluster)
