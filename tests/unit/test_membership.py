"""Membership: what the managers list counts, and no majority is lost by a removal."""

from __future__ import annotations

from typing import Any

import pytest
from fake_swarm import Node, Swarm
from membership_samples import PROVIDER, props, three_managers
from pulumi.output import Unknown

from components import membership, memo
from components.members import joining, leaving
from components.remote.engine_api import NoLeaderError
from components.remote.ssh import PhoneError


@pytest.fixture
def swarm(monkeypatch: pytest.MonkeyPatch) -> Swarm:
    return three_managers(monkeypatch)


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


def test_a_phone_that_is_in_no_swarm_has_left_whatever_the_managers_list(
    swarm: Swarm, capsys: pytest.CaptureFixture[str]
) -> None:
    swarm.nodes["d"].swarm = ""
    assert _joins_anew("d", "w1")
    assert "w1: the managers list it as node d, but the phone itself is in no swarm" in (
        capsys.readouterr().out
    )


def test_a_phone_that_is_another_node_by_now_has_left(swarm: Swarm) -> None:
    swarm.nodes["d"].swarm = ""
    swarm.nodes["e"] = Node(hostname="w1")
    assert _joins_anew("d", "w1")


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


def test_a_phone_with_two_addresses_is_where_it_says_and_not_where_it_connects_from(
    swarm: Swarm,
) -> None:
    swarm.nodes["d"].address, swarm.nodes["d"].heard_at = "10.0.0.1", "10.9.9.9"
    assert _address("d", "w1") == "10.0.0.1"


def test_a_worker_that_is_off_is_where_it_was(
    swarm: Swarm, capsys: pytest.CaptureFixture[str]
) -> None:
    swarm.nodes["d"].on, swarm.nodes["d"].heard_at = False, "10.9.9.9"
    assert _address("d", "w1") == "10.0.0.1"
    assert capsys.readouterr().out == ""


def test_a_worker_that_only_the_managers_hear_is_told_of_with_its_new_address(
    swarm: Swarm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(membership, "recent", lambda _host: None)
    swarm.nodes["d"].heard_at = "10.9.9.9"
    assert _address("d", "w1") == "10.0.0.1"
    assert "write 10.9.9.9 into phones.w1.address" in capsys.readouterr().out


def test_a_manager_that_is_off_is_where_the_others_know_it(swarm: Swarm) -> None:
    swarm.nodes["c"].on, swarm.nodes["c"].address = False, "10.9.9.9"
    assert _address("c", "m3") == "10.9.9.9"


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


def test_a_phone_that_takes_itself_for_a_node_that_is_listed_no_more_has_left(swarm: Swarm) -> None:
    swarm.nodes["d"].listed = False
    assert _joins_anew("d", "w1")


def test_a_membership_that_neither_side_knows_is_gone(swarm: Swarm) -> None:
    del swarm.nodes["d"]
    assert PROVIDER.read("d", props("w1")).id is None


def test_a_refresh_sees_what_somebody_changed(swarm: Swarm) -> None:
    swarm.nodes["d"].labels, swarm.nodes["d"].availability = {"other": "x"}, "drain"
    outs = PROVIDER.read("d", props("w1")).outs
    assert outs is not None
    assert (outs["labels"], outs["availability"]) == ({"other": "x"}, "drain")
    assert PROVIDER.diff("d", outs, props("w1")).changes


def test_a_plan_tells_what_changes_of_a_member_and_from_what_to_what(
    capsys: pytest.CaptureFixture[str],
) -> None:
    memo._answers.clear()
    was = props("w1", labels={"shelf": "top", "cloudlet.phone": "w1", "storage": "true"})
    is_ = props("w1", "manager", availability="drain", labels={"shelf": "low", "rack": "2"})
    assert PROVIDER.diff("d", was, is_).changes
    assert capsys.readouterr().out == (
        "w1: role worker → manager, availability active → drain, label cloudlet.phone w1 → none, "
        "label rack none → 2, label shelf top → low, label storage true → none\n"
    )
    moved = {**was, "phone": {**was["phone"], "host": "10.0.0.9", "port": 2201.0}}
    assert PROVIDER.diff("d", was, moved).changes
    assert PROVIDER.diff("d", {**was, "state": "down"}, was).changes
    assert capsys.readouterr().out == (
        "w1: SSH host w1 → 10.0.0.9, SSH port 22 → 2201\nw1: down in the swarm → ready\n"
    )


def test_a_plan_says_nothing_of_what_it_does_not_know_yet(
    capsys: pytest.CaptureFixture[str],
) -> None:
    PROVIDER.diff("d", props("w1"), props("w1", labels=Unknown()))
    PROVIDER.diff("d", props("w1"), props("w1", phone=Unknown()))
    assert capsys.readouterr().out == ""


def test_a_refresh_without_any_manager_changes_nothing(swarm: Swarm) -> None:
    for node in swarm.nodes.values():
        node.on = False
    read = PROVIDER.read("d", props("w1"))
    assert (read.id, read.outs) == ("d", props("w1"))


def test_a_join_that_leaves_the_managers_without_a_leader_for_moments_is_seen_through(
    swarm: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    electing = ["node lost leader status"]
    promote = leaving.promote

    def ask(manager: Any, node_id: str, name: str) -> None:
        if electing:
            raise NoLeaderError(manager.phone, 500, electing.pop())
        promote(manager, node_id, name)

    monkeypatch.setattr(leaving, "promote", ask)
    made = PROVIDER.create(props("w2", "manager"))
    assert swarm.nodes[made.id].role == "manager"
    assert swarm.log.count("w2: POST /swarm/join") == 1


def _joins_anew(node_id: str, phone: str) -> bool:
    """Whether a plan takes away what is left of the membership and makes another one."""
    seen = PROVIDER.read(node_id, props(phone)).outs
    assert seen is not None
    return PROVIDER.diff(node_id, seen, props(phone)).replaces == ["state"]


def _address(node_id: str, phone: str) -> str:
    """What a refresh says of where the phone is."""
    seen = PROVIDER.read(node_id, props(phone)).outs
    assert seen is not None
    return seen["address"]
