"""How a phone stops being a member, tested on a swarm in memory."""

from __future__ import annotations

from typing import Any

import pytest
from fake_swarm import Swarm
from membership_samples import PROVIDER, host, props, three_managers

from components import membership
from components.known_managers import KnownManagersProvider
from components.members import leaving, managers
from components.remote.engine_api import NoLeaderError, NotManagerError
from components.remote.ssh import PhoneError


@pytest.fixture
def swarm(monkeypatch: pytest.MonkeyPatch) -> Swarm:
    return three_managers(monkeypatch)


def test_a_worker_is_drained_then_leaves_then_is_removed(swarm: Swarm) -> None:
    PROVIDER.delete("d", props("w1"))
    assert swarm.log == ["m1: POST /nodes/d/update", "w1: POST /swarm/leave", "m1: DELETE /nodes/d"]


def test_what_the_managers_list_of_a_phone_that_left_by_itself_is_taken_away(
    swarm: Swarm, capsys: pytest.CaptureFixture[str]
) -> None:
    swarm.nodes["d"].swarm, swarm.tasks = "", ["running"]
    seen = PROVIDER.read("d", props("w1")).outs
    assert seen is not None
    PROVIDER.delete("d", seen)
    assert "d" not in swarm.nodes
    assert "w1: POST /swarm/leave" not in swarm.log
    assert "task left" not in capsys.readouterr().out


def test_the_first_manager_is_removed_through_another(swarm: Swarm) -> None:
    PROVIDER.delete("a", props("m1", "manager"))
    assert "a" not in swarm.nodes
    assert swarm.log[-1] == "m2: DELETE /nodes/a"


def test_a_dead_worker_is_removed_from_the_managers_side(
    swarm: Swarm, capsys: pytest.CaptureFixture[str]
) -> None:
    swarm.nodes["d"].on = False
    PROVIDER.delete("d", props("w1"))
    assert "d" not in swarm.nodes


def test_the_tasks_of_a_phone_that_turns_out_dead_are_not_waited_for(
    swarm: Swarm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    swarm.tasks = ["running"]
    monkeypatch.setattr(leaving, "DRAIN_SECONDS", 0.5)
    monkeypatch.setattr(managers.time, "sleep", lambda _: setattr(swarm.nodes["d"], "on", False))
    PROVIDER.delete("d", props("w1"))
    assert "d" not in swarm.nodes
    out = capsys.readouterr().out
    assert "w1: 1 task left" in out
    assert "did not stop within" not in out


def test_the_last_of_managers_that_were_all_replaced_goes_through_the_new_ones(
    swarm: Swarm,
) -> None:
    only = [manager for manager in props("m1")["managers"] if manager["name"] == "m1"]
    recorded = {"hosts": only, "managers": ["m1"]}
    wanted = {"hosts": [host("m2"), host("m3")], "managers": ["m2", "m3"]}
    try:
        KnownManagersProvider().update("managers", recorded, wanted)
        PROVIDER.delete("a", props("m1", "manager", managers=only))
    finally:
        managers.also_ask([])
    assert "a" not in swarm.nodes
    assert swarm.log[-1] == "m2: DELETE /nodes/a"


def test_the_last_manager_stays_for_the_swarm_itself_to_leave(swarm: Swarm) -> None:
    for key in ("b", "c", "d"):
        del swarm.nodes[key]
    PROVIDER.delete("a", props("m1", "manager"))
    assert swarm.log == []


def test_removal_goes_on_when_the_manager_it_speaks_through_is_removed_meanwhile(
    swarm: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    drained = leaving.settled_state

    def demoted_meanwhile(manager: Any, node_id: str) -> str:
        if manager.phone == "m1":
            swarm.nodes["a"].role = "worker"
            raise NotManagerError("m1", 503, "This node is not a swarm manager.")
        return drained(manager, node_id)

    monkeypatch.setattr(leaving, "settled_state", demoted_meanwhile)
    PROVIDER.delete("d", props("w1"))
    assert "d" not in swarm.nodes


def test_removal_goes_on_when_no_manager_answers(
    swarm: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(membership, "tell_once", told.append)
    for key in ("a", "b", "c"):
        swarm.nodes[key].on = False
    PROVIDER.delete("d", props("w1"))
    assert told == ["no manager of the swarm answers"]
    assert swarm.log == ["w1: POST /swarm/leave"]


def test_removal_goes_on_when_the_majority_is_lost_on_the_way(
    swarm: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: Any) -> None:
        for key in ("a", "b", "c"):
            swarm.nodes[key].on = False
        raise NoLeaderError("m1", 500, "node lost leader status")

    monkeypatch.setattr(leaving, "delete_node", lost)
    PROVIDER.delete("d", props("w1"))
    assert "w1: POST /swarm/leave" in swarm.log


def test_a_removal_that_falls_into_an_election_is_done_and_not_taken_for_a_lost_majority(
    swarm: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    drained = leaving.settled_state
    electing = ["node lost leader status", "The swarm does not have a leader."]

    def ask(manager: Any, node_id: str) -> str:
        if electing:
            raise NoLeaderError(manager.phone, 500, electing.pop())
        return drained(manager, node_id)

    monkeypatch.setattr(leaving, "settled_state", ask)
    PROVIDER.delete("b", props("m2", "manager"))
    assert "b" not in swarm.nodes


def test_a_removal_that_no_leader_takes_is_an_error(
    swarm: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(manager: Any, _node_id: str) -> str:
        raise NoLeaderError(manager.phone, 500, "The swarm does not have a leader.")

    monkeypatch.setattr(leaving, "settled_state", never)
    with pytest.raises(NoLeaderError, match="the managers have no leader"):
        PROVIDER.delete("b", props("m2", "manager"))


@pytest.fixture
def electing(swarm: Swarm, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """m3 leads: when its role goes, the managers have no leader for two questions, kept here."""
    refused: list[str] = []

    def ask(client: Any) -> dict[str, dict[str, Any]]:
        if swarm.nodes["c"].role == "worker" and len(refused) < 2:
            refused.append(client.phone)
            raise NoLeaderError(client.phone, 500, "node lost leader status")
        return managers.nodes_by_id(client)

    monkeypatch.setattr(leaving, "nodes_by_id", ask)
    return refused


def test_the_leader_is_removed_as_soon_as_there_is_another(
    swarm: Swarm, electing: list[str]
) -> None:
    PROVIDER.delete("c", props("m3", "manager"))
    assert electing == ["m1", "m1"]
    assert swarm.log[-2:] == ["m3: POST /swarm/leave", "m1: DELETE /nodes/c"]


def test_the_leader_is_demoted_as_soon_as_there_is_another(
    swarm: Swarm, electing: list[str]
) -> None:
    PROVIDER.update("c", props("m3", "manager"), props("m3"))
    assert electing == ["m1", "m1"]
    assert swarm.nodes["c"].role == "worker"


def test_a_removal_that_the_managers_did_not_see_through_is_done_again(
    swarm: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaving, "wait_until", lambda *_, **__: False)
    with pytest.raises(PhoneError, match="m2 is still counted as a manager after 40 s"):
        PROVIDER.delete("b", props("m2", "manager"))
    assert "b" in swarm.nodes


def test_a_manager_is_removed_although_another_one_is_dead(
    swarm: Swarm, capsys: pytest.CaptureFixture[str]
) -> None:
    swarm.nodes["b"].on = False
    PROVIDER.delete("c", props("m3", "manager"))
    assert set(swarm.nodes) == {"a", "d"}
    assert "m2 is down, so it is no manager any more and m3 may go" in capsys.readouterr().out


def test_a_worker_leaves_although_the_majority_of_managers_is_lost(
    swarm: Swarm, capsys: pytest.CaptureFixture[str]
) -> None:
    for key in ("a", "b", "c"):
        swarm.nodes[key].on = False
    PROVIDER.delete("d", props("w1"))
    assert swarm.log == ["w1: POST /swarm/leave"]


def test_a_phone_with_another_name_by_now_stays_a_member(swarm: Swarm) -> None:
    swarm.nodes["d"].labels = {"cloudlet.phone": "kitchen"}
    PROVIDER.delete("d", props("w1"))
    assert swarm.log == []
