"""Membership: what the managers list counts, and no majority is lost by a removal."""

from __future__ import annotations

from typing import Any

import pytest
from fake_swarm import SWARM, Node, Swarm

from components import joining, leaving, managers, membership
from components.engine_api import NoLeaderError, NotManagerError
from components.membership import MembershipProvider
from components.ssh import Host, PhoneError

PROVIDER = MembershipProvider()


def host(name: str) -> dict[str, Any]:
    return Host(name=name, host=name, port=22, user="u", key_file="k").to_inputs()


def props(name: str, role: str = "worker", **changes: Any) -> dict[str, Any]:
    managers = [{**host(f"m{n}"), "address": f"10.0.1.{n}"} for n in (1, 2, 3)]
    return {
        "phone": host(name),
        "address": f"10.0.0.{name[-1]}",
        "managers": managers,
        "leaders": ["m1", "m2", "m3"],
        "swarm_id": SWARM,
        "role": role,
        "availability": "active",
        "labels": {"shelf": "top", "cloudlet.phone": name},
        "state": "ready",
        **changes,
    }


@pytest.fixture
def swarm(monkeypatch: pytest.MonkeyPatch) -> Swarm:
    """Three managers and a worker."""
    made = Swarm(
        a=Node(hostname="m1", role="manager"),
        b=Node(hostname="m2", role="manager"),
        c=Node(hostname="m3", role="manager"),
        d=Node(hostname="w1"),
    )
    for node in made.nodes.values():
        node.labels = {"cloudlet.phone": node.name}
    made.patch(monkeypatch)
    return made


def test_a_phone_outside_joins_with_its_role_and_labels(swarm: Swarm) -> None:
    made = PROVIDER.create(props("w2"))
    node = swarm.nodes[made.id]
    assert (node.hostname, node.role) == ("w2", "worker")
    assert node.labels == {"shelf": "top", "cloudlet.phone": "w2"}


def test_a_phone_that_is_a_member_already_does_not_join_again(swarm: Swarm) -> None:
    assert PROVIDER.create(props("w1")).id == "d"
    assert "w1: POST /swarm/join" not in swarm.log


def test_a_phone_that_only_believes_to_be_a_member_leaves_and_joins(swarm: Swarm) -> None:
    swarm.nodes["d"].listed = False
    made = PROVIDER.create(props("w1"))
    assert made.id != "d"
    assert swarm.log.index("w1: POST /swarm/leave") < swarm.log.index("w1: POST /swarm/join")


def test_a_manager_of_somebody_elses_swarm_is_left_alone(swarm: Swarm) -> None:
    swarm.nodes["x"] = Node(hostname="w2", role="manager", swarm="theirs", listed=False)
    with pytest.raises(PhoneError, match=r"w2 manages another swarm \(theirs\)"):
        PROVIDER.create(props("w2"))
    assert swarm.log == []


@pytest.mark.parametrize("role", ["worker", "manager"])
def test_a_dead_entry_of_the_same_phone_is_taken_off_the_list(swarm: Swarm, role: str) -> None:
    labels = {"cloudlet.phone": "w2"}
    swarm.nodes["old"] = Node(hostname="other", phone="w2", role=role, swarm="", labels=labels)
    made = PROVIDER.create(props("w2"))
    assert "old" not in swarm.nodes
    assert made.id in swarm.nodes


def test_what_a_join_that_was_cut_off_left_is_taken_off_the_list(swarm: Swarm) -> None:
    swarm.nodes["old"] = Node(hostname="w2", swarm="")
    PROVIDER.create(props("w2"))
    assert "old" not in swarm.nodes


def test_another_phone_of_the_same_hostname_stays_though_it_is_off(swarm: Swarm) -> None:
    swarm.nodes["d"].hostname = "oneplus-enchilada"
    swarm.nodes["d"].on = False
    swarm.nodes["seen"] = Node(hostname="oneplus-enchilada", phone="w2", swarm="")
    PROVIDER.create(props("w2"))
    assert "d" in swarm.nodes


def test_a_phone_that_is_in_no_swarm_is_gone_whatever_the_managers_list(
    swarm: Swarm, capsys: pytest.CaptureFixture[str]
) -> None:
    swarm.nodes["d"].swarm = ""
    assert PROVIDER.read("d", props("w1")).id is None
    assert "w1: the managers list it as node d, but the phone itself is in no swarm" in (
        capsys.readouterr().out
    )


def test_a_phone_that_is_another_node_by_now_is_gone(swarm: Swarm) -> None:
    swarm.nodes["d"].swarm = ""
    swarm.nodes["e"] = Node(hostname="w1")
    assert PROVIDER.read("d", props("w1")).id is None


def test_a_member_that_is_off_stays_one(swarm: Swarm) -> None:
    swarm.nodes["d"].on = False
    assert PROVIDER.read("d", props("w1")).id == "d"


def test_a_member_without_its_docker_is_down_until_the_managers_call_it_ready(
    swarm: Swarm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(joining, "BACK_SECONDS", 0.05)
    swarm.dockers_run = False
    seen = PROVIDER.read("d", props("w1")).outs
    assert seen is not None
    assert PROVIDER.diff("d", seen, props("w1")).changes
    swarm.nodes["d"].on = False
    PROVIDER.update("d", seen, props("w1"))
    assert "w1: after 0 s the managers still call it down" in capsys.readouterr().out
    swarm.nodes["d"].on = True
    PROVIDER.update("d", seen, props("w1"))
    assert capsys.readouterr().out == ""


def test_a_membership_recorded_before_there_was_a_state_is_as_it_was(swarm: Swarm) -> None:
    recorded = {key: value for key, value in props("w1").items() if key != "state"}
    assert not PROVIDER.diff("d", recorded, props("w1")).changes


def test_an_address_that_the_swarm_does_not_know_is_explained_and_replaces(
    swarm: Swarm, capsys: pytest.CaptureFixture[str]
) -> None:
    swarm.nodes["d"].address = "10.9.9.9"
    seen = PROVIDER.read("d", props("w1")).outs
    assert seen is not None
    assert PROVIDER.diff("d", seen, props("w1")).replaces == ["address"]
    assert "w1: the swarm knows it at 10.9.9.9, and it is at 10.0.0.1." in capsys.readouterr().out


def test_a_manager_of_our_own_swarm_that_is_not_listed_leaves_and_joins(swarm: Swarm) -> None:
    swarm.nodes["x"] = Node(hostname="w2", role="manager", listed=False)
    PROVIDER.create(props("w2"))
    assert swarm.log.index("w2: POST /swarm/leave") < swarm.log.index("w2: POST /swarm/join")


def test_the_vote_of_a_manager_that_was_removed_ends_and_the_leader_stays_a_manager(
    swarm: Swarm, capsys: pytest.CaptureFixture[str]
) -> None:
    swarm.nodes["a"].leads = True
    swarm.nodes["x"] = Node(hostname="w2", role="manager", listed=False)
    swarm.unlisted = ["x"]
    PROVIDER.create(props("w2", "manager"))
    assert swarm.unlisted == []
    assert not swarm.nodes["a"].leads
    assert swarm.nodes["a"].role == "manager"
    orders = [line for line in swarm.log if line.endswith("POST /nodes/a/update")]
    assert orders == ["m2: POST /nodes/a/update"] * 2
    assert "m1 hands over the lead" in capsys.readouterr().out


def test_a_manager_that_was_removed_and_leaves_the_lab_has_no_vote_either(swarm: Swarm) -> None:
    swarm.nodes["a"].leads = True
    swarm.nodes["x"] = Node(hostname="w2", role="manager", listed=False)
    swarm.unlisted = ["x"]
    PROVIDER.delete("x", props("w2", "manager"))
    assert "w2: POST /swarm/leave" in swarm.log
    assert swarm.unlisted == []


def test_a_vote_that_nobody_can_end_now_is_told_of(
    swarm: Swarm, capsys: pytest.CaptureFixture[str]
) -> None:
    swarm.nodes["a"].leads = True
    swarm.nodes["b"].on = swarm.nodes["c"].on = False
    swarm.unlisted = ["x"]
    PROVIDER.create(props("w2"))
    assert swarm.unlisted == ["x"]
    assert "restart Docker on m1" in capsys.readouterr().out


@pytest.mark.parametrize(("remote", "ours"), [("10.0.1.2:2377", True), ("10.7.7.7:2377", False)])
def test_a_manager_without_a_majority_is_known_by_the_others_that_it_names(
    swarm: Swarm, remote: str, ours: bool
) -> None:
    swarm.nodes["x"] = Node(
        hostname="w2", role="manager", swarm="lost", listed=False, remote_managers=(remote,)
    )
    if ours:
        PROVIDER.create(props("w2"))
        assert "w2: POST /swarm/leave" in swarm.log
    else:
        with pytest.raises(PhoneError, match="w2 manages another swarm"):
            PROVIDER.create(props("w2"))


def test_a_node_that_the_managers_no_longer_list_is_gone(swarm: Swarm) -> None:
    del swarm.nodes["d"]
    assert PROVIDER.read("d", props("w1")).id is None


def test_a_refresh_sees_what_somebody_changed(swarm: Swarm) -> None:
    swarm.nodes["d"].labels, swarm.nodes["d"].availability = {"other": "x"}, "drain"
    outs = PROVIDER.read("d", props("w1")).outs
    assert outs is not None
    assert (outs["labels"], outs["availability"]) == ({"other": "x"}, "drain")
    assert PROVIDER.diff("d", outs, props("w1")).changes


def test_a_refresh_without_any_manager_changes_nothing(swarm: Swarm) -> None:
    for node in swarm.nodes.values():
        node.on = False
    read = PROVIDER.read("d", props("w1"))
    assert (read.id, read.outs) == ("d", props("w1"))


def test_promotion_happens_in_place(swarm: Swarm) -> None:
    PROVIDER.update("d", props("w1"), props("w1", "manager"))
    assert swarm.nodes["d"].role == "manager"
    assert not any("join" in line for line in swarm.log)


def test_a_phone_that_is_off_is_not_promoted(swarm: Swarm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaving, "ROLE_SECONDS", 0.0)
    swarm.nodes["d"].on = False
    with pytest.raises(PhoneError, match="w1 is down, so it cannot become a manager"):
        PROVIDER.update("d", props("w1"), props("w1", "manager"))
    assert swarm.nodes["d"].role == "worker"


def test_a_phone_that_was_just_switched_on_is_waited_for(
    swarm: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    swarm.nodes["d"].on = False
    monkeypatch.setattr(managers.time, "sleep", lambda _: setattr(swarm.nodes["d"], "on", True))
    PROVIDER.update("d", props("w1"), props("w1", "manager"))
    assert swarm.nodes["d"].role == "manager"


def test_a_dead_manager_that_is_to_go_goes_first_where_a_demotion_needs_it(swarm: Swarm) -> None:
    swarm.nodes["c"].on = False
    PROVIDER.update("b", props("m2", "manager"), props("m2", leaders=["m1"]))
    assert {key for key, node in swarm.nodes.items() if node.role == "manager"} == {"a"}


def test_demotion_that_would_lose_the_majority_is_refused_with_the_sum(swarm: Swarm) -> None:
    del swarm.nodes["c"]
    swarm.nodes["b"].on = False
    with pytest.raises(PhoneError, match=r"m1 stays a manager: .*majority"):
        PROVIDER.update("a", props("m1", "manager"), props("m1"))
    assert swarm.nodes["a"].role == "manager"


def test_a_worker_is_drained_then_leaves_then_is_removed(swarm: Swarm) -> None:
    PROVIDER.delete("d", props("w1"))
    assert swarm.log == ["m1: POST /nodes/d/update", "w1: POST /swarm/leave", "m1: DELETE /nodes/d"]


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
