"""Any manager will do, and a phone that is off costs its time-out once."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from components.members import managers
from components.members.managers import any_manager
from components.remote.engine_api import EngineError
from components.remote.ssh import Host, PhoneError, UnreachableError

OURS, THEIRS = "ours", "theirs"


def host(name: str) -> Host:
    return Host(name=name, host=name, port=22, user="u", key_file="k")


HOSTS = [host("a"), host("b"), host("c")]


class Phones:
    """What each phone is: ``off``, ``worker``, ``leaderless``, or the swarm that it manages."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **states: str) -> None:
        self.states = states
        self.dialled: list[str] = []
        self.now = 0.0
        monkeypatch.setattr(managers, "engine", self.engine)
        monkeypatch.setattr(managers, "_silent", {})
        monkeypatch.setattr(managers, "_last", {})
        monkeypatch.setattr(managers, "_lost", {})
        monkeypatch.setattr(managers.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(managers.time, "sleep", self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    @contextmanager
    def engine(self, host: Host) -> Generator[Engine]:
        self.dialled.append(host.name)
        if self.states[host.name] == "off":
            raise UnreachableError(f"{host.name} does not answer")
        yield Engine(host.name, self.states)

    def found(self, **options: str) -> str:
        """The phone that was chosen; ``dialled`` has those that were asked for it."""
        self.dialled.clear()
        with any_manager(HOSTS, OURS, **options) as client:
            return client.phone


class Engine:
    def __init__(self, phone: str, states: Mapping[str, str]) -> None:
        self.phone = phone
        self._states = states

    def get(self, path: str) -> Any:
        state = self._states[self.phone]
        if path == "/swarm":
            if state == "no answer to orders":
                raise EngineError(self.phone, 503, "The swarm does not have a leader")
            return {}
        cluster = {"leaderless": "", "no answer to orders": OURS}.get(state, state)
        return {
            "Swarm": {
                "ControlAvailable": state != "worker",
                "LocalNodeState": "active",
                "Cluster": {"ID": cluster},
            }
        }


def test_the_first_that_manages_the_swarm_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    phones = Phones(monkeypatch, a="worker", b=THEIRS, c=OURS)
    assert phones.found() == "c"


def test_the_one_that_answered_last_is_asked_first(monkeypatch: pytest.MonkeyPatch) -> None:
    phones = Phones(monkeypatch, a="worker", b=THEIRS, c=OURS)
    phones.found()
    assert phones.found() == "c"
    assert phones.dialled == ["c"]


def test_a_silent_phone_is_left_out_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    phones = Phones(monkeypatch, a="off", b="worker", c=OURS)
    phones.found()
    phones.states["c"], phones.states["b"] = "worker", OURS
    assert phones.found() == "b"
    assert "a" not in phones.dialled
    phones.now += managers.AVOID_SECONDS + 1
    phones.states["a"], phones.states["b"] = OURS, "worker"
    assert phones.found() == "a"


def test_a_silent_phone_is_asked_all_the_same_where_it_is_the_only_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    phones = Phones(monkeypatch, a="off", b="off", c="off")
    with pytest.raises(PhoneError, match="a does not answer; b does not answer; c does not"):
        phones.found()
    phones.states["b"] = OURS
    assert phones.found() == "b"


def test_who_is_to_cease_managing_is_asked_last(monkeypatch: pytest.MonkeyPatch) -> None:
    phones = Phones(monkeypatch, a=OURS, b="off", c=OURS)
    assert phones.found() == "a"
    assert phones.found(shun="a") == "c"
    phones.states["c"] = "worker"
    assert phones.found(shun="a") == "a"


def test_managers_that_elect_a_leader_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    phones = Phones(monkeypatch, a="leaderless", b="no answer to orders", c="worker")

    def sleep(seconds: float) -> None:
        phones.now += seconds
        if phones.now > 5:
            phones.states["a"] = OURS

    monkeypatch.setattr(managers.time, "sleep", sleep)
    assert phones.found() == "a"


def test_a_lost_majority_is_named_with_the_two_ways_out(monkeypatch: pytest.MonkeyPatch) -> None:
    phones = Phones(monkeypatch, a="off", b="leaderless", c="off")
    with pytest.raises(PhoneError) as caught:
        phones.found()
    assert str(caught.value) == (
        "the swarm has lost the majority of its managers: a does not answer; b: has no leader; "
        "c does not answer. Start the managers that are off; if they are lost for good, "
        "`make recover PHONE=…` lets one that is left go on alone"
    )


def test_a_lost_majority_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    phones = Phones(monkeypatch, a="off", b="leaderless", c="off")
    with pytest.raises(PhoneError):
        phones.found()
    waited = phones.now
    with pytest.raises(PhoneError):
        phones.found()
    assert phones.now == waited
    phones.states["b"] = OURS
    assert phones.found() == "b"
