"""The reboot drill: only a phone that went down and that the managers hear again is back."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from components.remote.ssh import Host, UnreachableError
from operations import reboot
from operations.errors import OperationError
from operations.labs import Lab
from operations.nodes import Node
from tests.unit.operations_samples import lab, manager, node

ACTIVE = {"LocalNodeState": "active", "NodeID": "id-phone-2"}


@dataclass(kw_only=True)
class Moment:
    """The lab as one look at it finds it; ``boot`` None is a phone that does not answer."""

    boot: str | None = "first"
    state: dict[str, Any] = field(default_factory=lambda: ACTIVE)
    nodes: Sequence[Node] = (manager("phone-1"), node("phone-2"))


class Clock:
    """Time that passes only while somebody sleeps."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Story:
    """Looks at the lab get one moment after the other; the last one stays."""

    def __init__(self, *moments: Moment) -> None:
        self.moments = list(moments)
        self.scripts: list[str] = []
        self.asked: list[list[str]] = []

    @contextmanager
    def connect(self, host: Host) -> Generator[Host]:
        if "reboot.sh" in self.scripts and len(self.moments) > 1:
            self.moments.pop(0)
        if self.moments[0].boot is None:
            raise UnreachableError(f"{host.name} does not answer: connection refused")
        yield host

    def run_script(self, _session: Host, name: str, **_options: Any) -> str:
        self.scripts.append(name)
        return self.moments[0].boot or ""

    def listed(self, managers: Sequence[Host]) -> list[Node]:
        self.asked.append([host.name for host in managers])
        return list(self.moments[0].nodes)

    def drill(self, phone: str = "phone-2") -> tuple[float, list[str]]:
        told: list[str] = []
        return reboot.drill(self.lab, phone, told.append), told

    lab: Lab


Tell = Callable[..., Story]


@pytest.fixture
def story(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Tell:
    def tell(*moments: Moment) -> Story:
        made = Story(*moments)
        made.lab = lab(tmp_path, {"phone-1": "manager", "phone-2": "worker"})
        monkeypatch.setattr(reboot, "connect", made.connect)
        monkeypatch.setattr(reboot, "run_script", made.run_script)
        monkeypatch.setattr(reboot, "listed", made.listed)
        monkeypatch.setattr(reboot, "Engine", lambda *_: None)
        monkeypatch.setattr(reboot, "swarm_state", lambda _: made.moments[0].state)
        monkeypatch.setattr(reboot, "time", Clock())
        return made

    return tell


BACK = Moment(boot="second", nodes=(manager("phone-1"), node("phone-2", index=9)))


def test_a_phone_is_back_when_the_managers_hear_it_again_after_its_boot(story: Tell) -> None:
    told = story(
        Moment(),
        Moment(boot=None),
        Moment(boot="second", state={"LocalNodeState": "pending", "NodeID": "", "Error": "no CA"}),
        Moment(boot="second"),
        Moment(boot="second", nodes=(manager("phone-1"), node("phone-2", index=8, state="down"))),
        BACK,
    ).drill()[1]
    assert [line.split("s  ")[-1] for line in told] == [
        "phone-2: rebooting",
        "phone-2 does not answer at 192.168.8.12:22",
        "its swarm state is pending: no CA",
        "the managers have not heard from it yet",
        "the managers list it as down",
    ]


def test_an_entry_that_still_says_ready_proves_nothing(story: Tell) -> None:
    with pytest.raises(OperationError) as caught:
        story(Moment(), Moment(boot="second")).drill()
    assert str(caught.value) == (
        "phone-2 is not back in the swarm 60 s after its reboot: "
        "the managers have not heard from it yet"
    )


def test_a_phone_that_never_went_down_is_not_back(story: Tell) -> None:
    with pytest.raises(OperationError, match="phone-2 has not gone down yet"):
        story(Moment()).drill()


def test_a_phone_that_stays_off_is_told_as_such(story: Tell) -> None:
    with pytest.raises(OperationError, match=r"does not answer at 192\.168\.8\.12:22"):
        story(Moment(), Moment(boot=None)).drill()


def test_a_manager_is_back_only_when_the_others_reach_it(story: Tell) -> None:
    away = manager("phone-2", index=8, reachable=False)
    before = Moment(nodes=(manager("phone-1"), manager("phone-2")))
    told = story(
        before,
        Moment(boot="second", nodes=(manager("phone-1"), away)),
        Moment(boot="second", nodes=(manager("phone-1"), manager("phone-2", index=9))),
    ).drill()[1]
    assert told[0] == (
        "Meanwhile the swarm takes no orders: 2 managers need 2 to answer; what runs goes on"
    )
    assert told[-1].endswith("the other managers do not reach it yet")


def test_a_phone_that_is_no_member_is_not_rebooted(story: Tell) -> None:
    alone = story(Moment(nodes=(manager("phone-1"),)))
    with pytest.raises(OperationError, match="phone-2 is no member of the swarm"):
        alone.drill()
    assert "reboot.sh" not in alone.scripts


def test_the_phone_itself_is_asked_for_the_list_only_where_nobody_else_has_it(story: Tell) -> None:
    told = story(Moment(), BACK)
    told.drill()
    assert {*map(tuple, told.asked)} == {("phone-1",)}
    only = Moment(state={**ACTIVE, "NodeID": "id-phone-1"}, nodes=(manager("phone-1"),))
    back = Moment(boot="second", state=only.state, nodes=(manager("phone-1", index=9),))
    alone = story(only, back)
    alone.drill("phone-1")
    assert {*map(tuple, alone.asked)} == {("phone-1",)}
