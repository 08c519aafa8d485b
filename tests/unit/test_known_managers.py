"""A plan shows the phones that change, not every resource that might be reached through them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pulumi.output import Unknown

from components.known_managers import KnownManagersProvider, renewed, worn_out
from components.members.managers import also_ask


def host(name: str, **changes: Any) -> dict[str, Any]:
    return {"name": name, "host": name, "port": 22.0, "host_key": "k", **changes}


A, B, C, D, E = (host(name) for name in "abcde")


@pytest.fixture(autouse=True)
def _alone() -> Iterator[None]:
    """What a run learns here is not for other tests."""
    yield
    also_ask([])


@pytest.mark.parametrize(
    ("recorded", "configured", "managers"),
    [
        ([A, B, C], [A, B, C], "abc"),
        ([A, B, C], [A, B, D], "abd"),
        ([A, B, C], [C, B, A], "cba"),
        ([A, B, C, D], [D, C, A], "dc"),
        ([A, B, C, D], [A, B, C], "abc"),
        ([A], [A], "a"),
    ],
)
def test_the_record_stands_while_two_of_it_are_managers(
    recorded: list[Any], configured: list[Any], managers: str
) -> None:
    assert not worn_out(recorded, configured, list(managers))


@pytest.mark.parametrize(
    ("recorded", "configured", "managers"),
    [
        ([A, B, C], [A, D, E], "ade"),
        ([A], [A, B, C], "abc"),
        ([A, B, C], [A, B, C], "d"),
        ([A, B], [host("a", port=2201.0), B], "ab"),
        ([A, B], [host("a", host_key="other"), B], "ab"),
    ],
)
def test_the_record_is_renewed_when_fewer_of_it_are_managers(
    recorded: list[Any], configured: list[Any], managers: str
) -> None:
    assert worn_out(recorded, configured, list(managers))


def test_a_preview_that_does_not_know_a_phone_yet_says_nothing() -> None:
    assert not worn_out([A], [B, Unknown()], ["b", "c"])


def test_the_former_managers_stay_at_hand_after_the_new_ones() -> None:
    assert renewed([A, B, C], [D, B]) == [D, B, A, C]


def test_what_was_recorded_is_what_others_are_given() -> None:
    provider = KnownManagersProvider()
    news = {"hosts": [D, E], "managers": ["d", "e"]}
    assert provider.update("managers", {"hosts": [A]}, news).outs == {
        "hosts": [D, E, A],
        "managers": ["d", "e"],
    }


def test_a_plan_tells_why_so_much_of_it_says_managers(capsys: pytest.CaptureFixture[str]) -> None:
    provider = KnownManagersProvider()
    news = {"hosts": [D, E], "managers": ["d", "e"]}
    assert provider.diff("managers", {"hosts": [A]}, news).changes
    assert capsys.readouterr().out == (
        "the swarm is spoken to by d, e from now on: what says ~managers only takes that up\n"
    )
    assert not provider.diff("managers", {"hosts": [D, E]}, news).changes
    assert capsys.readouterr().out == ""
