"""Promotion and demotion: in place, one after the other, and with the majority kept."""

from __future__ import annotations

from typing import Any

import pytest
from fake_swarm import Swarm
from membership_samples import PROVIDER, props, three_managers

from components.members import leaving, managers
from components.remote.ssh import PhoneError


@pytest.fixture
def swarm(monkeypatch: pytest.MonkeyPatch) -> Swarm:
    return three_managers(monkeypatch)


def test_promotion_happens_in_place(swarm: Swarm) -> None:
    PROVIDER.update("d", props("w1"), props("w1", "manager"))
    assert swarm.nodes["d"].role == "manager"
    assert not any("join" in line for line in swarm.log)


def test_a_promotion_that_was_cut_off_is_seen_and_waited_for(
    swarm: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    swarm.nodes["c"].votes = False
    seen = PROVIDER.read("c", props("m3", "manager")).outs
    assert seen is not None
    assert PROVIDER.diff("c", seen, props("m3", "manager")).changes
    monkeypatch.setattr(managers.time, "sleep", lambda _: setattr(swarm.nodes["c"], "votes", True))
    PROVIDER.update("c", seen, props("m3", "manager"))
    assert swarm.nodes["c"].votes


def test_a_manager_that_does_not_vote_yet_is_demoted_when_it_does(
    swarm: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    swarm.nodes["c"].votes = False
    orders: list[bool] = []
    update_node = leaving.update_node

    def order(*arguments: Any) -> None:
        orders.append(swarm.nodes["c"].votes)
        update_node(*arguments)

    monkeypatch.setattr(leaving, "update_node", order)
    monkeypatch.setattr(managers.time, "sleep", lambda _: setattr(swarm.nodes["c"], "votes", True))
    PROVIDER.update("c", props("m3", "manager"), props("m3", leaders=["m1", "m2"]))
    assert orders == [True]
    assert swarm.nodes["c"].role == "worker"


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
