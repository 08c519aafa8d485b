"""Membership: what the managers list counts, and no majority is lost by a removal."""

from __future__ import annotations

from typing import Any

import pytest
from fake_swarm import SWARM, Node, Swarm

from components.membership import MembershipProvider
from components.ssh import Host, PhoneError
from components.swarm_init import SwarmInitProvider

PROVIDER = MembershipProvider()


def host(name: str) -> dict[str, Any]:
    return Host(name=name, host=name, port=22, user="u", key_file="k").to_inputs()


def props(name: str, role: str = "worker", **changes: Any) -> dict[str, Any]:
    return {
        "phone": host(name),
        "address": f"10.0.0.{name[-1]}",
        "managers": [host("m1"), host("m2"), host("m3")],
        "swarm_id": SWARM,
        "role": role,
        "availability": "active",
        "labels": {"shelf": "top"},
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
    made.patch(monkeypatch)
    return made


def test_a_phone_outside_joins_with_its_role_and_labels(swarm: Swarm) -> None:
    made = PROVIDER.create(props("w2"))
    node = swarm.nodes[made.id]
    assert (node.hostname, node.role, node.labels) == ("w2", "worker", {"shelf": "top"})


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


def test_a_dead_entry_of_the_same_phone_is_taken_off_the_list(swarm: Swarm) -> None:
    swarm.nodes["old"] = Node(hostname="w2", role="manager", swarm="")
    made = PROVIDER.create(props("w2"))
    assert "old" not in swarm.nodes
    assert made.id in swarm.nodes


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


def test_the_last_manager_stays_for_the_swarm_itself_to_leave(swarm: Swarm) -> None:
    for key in ("b", "c", "d"):
        del swarm.nodes[key]
    PROVIDER.delete("a", props("m1", "manager"))
    assert swarm.log == []


def test_removal_goes_on_when_no_manager_answers(
    swarm: Swarm, capsys: pytest.CaptureFixture[str]
) -> None:
    for node in swarm.nodes.values():
        node.on = False
    PROVIDER.delete("d", props("w1"))
    assert "w1: could not be taken off the managers' list" in capsys.readouterr().out


def test_managers_of_two_swarms_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Swarm(
        a=Node(hostname="m1", role="manager"), b=Node(hostname="m2", role="manager", swarm="two")
    )
    made.patch(monkeypatch)
    with pytest.raises(PhoneError, match=r"in different swarms \(m1 in swarm-1, m2 in two\)"):
        SwarmInitProvider().create({"managers": [host("m1"), host("m2")], "settings": {}})


def test_a_swarm_that_somebody_else_made_is_neither_used_nor_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = Swarm(a=Node(hostname="m1", role="manager", swarm="theirs"))
    made.patch(monkeypatch)
    with pytest.raises(PhoneError, match=r"m1 manages a swarm that cloudlet did not make"):
        SwarmInitProvider().create({"managers": [host("m1")], "settings": {}})
    assert made.log == []


def test_a_swarm_that_is_there_is_used(swarm: Swarm) -> None:
    managers = [host(name) for name in ("m1", "m2", "m3")]
    made = SwarmInitProvider().create({"managers": managers, "settings": {}})
    assert made.id == SWARM
    assert swarm.log == []


def test_the_address_pool_of_a_living_swarm_cannot_be_changed(swarm: Swarm) -> None:
    old = {"managers": [host("m1")], "settings": {"address_pool": "10.20.0.0/16"}}
    new = {"managers": [host("m1")], "settings": {"address_pool": "10.30.0.0/16"}}
    for settings in (old["settings"], new["settings"]):
        assert isinstance(settings, dict)
        settings["address_pool_mask"] = 24
    with pytest.raises(PhoneError, match=r"swarm\.addressPool"):
        SwarmInitProvider().update(SWARM, old, new)


def test_a_manager_is_removed_although_another_one_is_dead(
    swarm: Swarm, capsys: pytest.CaptureFixture[str]
) -> None:
    swarm.nodes["b"].on = False
    PROVIDER.delete("c", props("m3", "manager"))
    assert set(swarm.nodes) == {"a", "d"}
    assert "m2 is down and no longer a manager" in capsys.readouterr().out


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
