"""Recovery is for a lost majority only, for a manager only, and after a yes only."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from components.remote.ssh import Host, PhoneError
from operations import asking, recover
from operations.errors import OperationError
from operations.nodes import Node
from operations.pulumi_cli import PulumiStack
from tests.unit.operations_samples import lab, manager, state_of

LOST = PhoneError("phone-1: Docker says: The swarm does not have a leader.")


class Swarm:
    """``state`` is what phone-1's Docker believes, ``nodes`` its list or why there is none."""

    def __init__(self, nodes: Sequence[Node] | PhoneError = LOST, **state: Any) -> None:
        self.nodes = nodes
        self.state = {"LocalNodeState": "active", "ControlAvailable": True, **state}
        self.taken_over: list[str] = []
        self.told: list[str] = []
        self.known_as_workers: list[str] = []

    @contextmanager
    def engine(self, _host: Host) -> Generator[None]:
        yield

    def listed_by(self, _host: Host) -> Sequence[Node]:
        if isinstance(self.nodes, PhoneError):
            raise self.nodes
        return self.nodes

    def state_now(self, state: dict[str, Any]) -> None:
        self.known_as_workers = [
            each["inputs"]["phone"]["name"]
            for each in state["deployment"]["resources"]
            if each.get("outputs", {}).get("role") == "worker"
        ]

    def recover(self, folder: Path, monkeypatch: pytest.MonkeyPatch, *, yes: bool = True) -> None:
        monkeypatch.setattr(recover, "engine", self.engine)
        monkeypatch.setattr(recover, "swarm_state", lambda _: self.state)
        monkeypatch.setattr(recover, "listed_by", self.listed_by)
        monkeypatch.setattr(
            recover.new_cluster, "take_over", lambda _, host: self.taken_over.append(host.name)
        )
        exported = {"deployment": {"resources": state_of("phone-1", "phone-2")}}
        monkeypatch.setattr(PulumiStack, "export", lambda _: exported)
        monkeypatch.setattr(PulumiStack, "replace_state", lambda _, state: self.state_now(state))
        made = lab(folder, {"phone-1": "manager", "phone-2": "manager"}, swarm_id="ours")
        recover.recover(made, "phone-1", self.told.append, yes=yes)


def test_one_manager_goes_on_alone_after_a_yes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    swarm = Swarm()
    swarm.recover(tmp_path, monkeypatch)
    assert swarm.taken_over == ["phone-1"]
    assert swarm.known_as_workers == ["phone-2"]
    assert "The other managers (phone-2) are managers no more" in capsys.readouterr().out
    assert "`make up STACK=lab`" in swarm.told[0]


def test_a_leader_that_has_just_lost_the_others_is_recovered_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = [manager(name, reachable=False) for name in ("phone-2", "phone-3")]
    swarm = Swarm([manager("phone-1"), *away])
    swarm.recover(tmp_path, monkeypatch)
    assert swarm.taken_over == ["phone-1"]


def test_without_a_yes_nothing_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    swarm = Swarm()
    monkeypatch.setattr(asking.sys.stdin, "isatty", lambda: False, raising=False)
    with pytest.raises(OperationError, match="YES=1"):
        swarm.recover(tmp_path, monkeypatch, yes=False)
    assert swarm.taken_over == []


REFUSED: list[tuple[Swarm, str]] = [
    (
        Swarm([manager("phone-1"), manager("phone-2", reachable=False), manager("phone-3")]),
        "the swarm has its majority, nothing is to be recovered: "
        "3 managers need 2 to answer, and 2 do",
    ),
    (
        Swarm(ControlAvailable=False),
        "phone-1 is no manager (its swarm state is active); "
        "only a manager has what the swarm needs to go on",
    ),
    (
        Swarm(Cluster={"ID": "theirs"}),
        "phone-1 manages another swarm (theirs), not this lab's",
    ),
]


@pytest.mark.parametrize(("swarm", "message"), REFUSED)
def test_what_would_do_harm_is_refused(
    swarm: Swarm, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OperationError) as caught:
        swarm.recover(tmp_path, monkeypatch)
    assert str(caught.value) == message
    assert swarm.taken_over == []
