"""A restore says what it will do before it does it, and does nothing where a lab lives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.remote.ssh import Host, PhoneError, UnreachableError
from operations import asking, restore
from operations.archive import Backup
from operations.errors import OperationError
from operations.pulumi_cli import PulumiStack
from tests.unit.operations_samples import a_backup, host_key, lab

PHONES = {"phone-1": "manager", "phone-2": "worker"}
NEW = "ssh-ed25519 AAAA-new"


class World:
    """A controller and phones; what a restore changes is in ``state``, ``put`` and ``removed``.

    ``shown`` are the host keys that the phones show or why they do not answer, ``swarms`` what each
    manages.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.backup = a_backup()
        self.lab = lab(folder, PHONES)
        self.shown: dict[str, str | PhoneError] = {name: host_key(name) for name in PHONES}
        self.swarms: dict[str, str] = {}
        self.resources: list[Any] = []
        self.state: dict[str, Any] = {}
        self.put: list[Host] = []
        self.let_in: dict[str, str] = {}
        self.removed: list[str] = []
        self.pinned: dict[str, str] = {}
        self.refreshed = 0
        self.file = folder / "backup"
        monkeypatch.setattr(restore.archive, "read", lambda *_: self.backup)
        monkeypatch.setattr(restore, "open_lab", lambda _: self.lab)
        monkeypatch.setattr(restore, "_shown", self._shown)
        monkeypatch.setattr(restore, "_swarm_of", lambda host: self.swarms.get(host.name, ""))
        monkeypatch.setattr(restore, "first_contact", self._first_contact)
        monkeypatch.setattr(restore, "_restore_swarm", lambda _, host, *__: self.put.append(host))
        monkeypatch.setattr(
            restore, "_remove_replaced", lambda _, names, __: self.removed.extend(sorted(names))
        )
        monkeypatch.setattr(PulumiStack, "export", self._export)
        monkeypatch.setattr(PulumiStack, "refresh", self._refresh)
        monkeypatch.setattr(PulumiStack, "replace_state", lambda _, state: self.state.update(state))
        monkeypatch.setattr(
            PulumiStack, "set", lambda _, key, value: self.pinned.update({key: value})
        )
        monkeypatch.setenv(asking.PASSPHRASE, "correct horse")

    def _shown(self, host: Host) -> str:
        answer = self.shown[host.name]
        if isinstance(answer, PhoneError):
            raise answer
        return answer

    def _first_contact(self, host: Host, _password: str) -> dict[str, Any]:
        self.let_in[host.name] = host.host_key
        return {}

    def _refresh(self) -> None:
        self.refreshed += 1

    def _export(self) -> dict[str, Any]:
        return {"deployment": {"resources": self.resources}}

    def restore(self, *, yes: bool = True) -> list[str]:
        told: list[str] = []
        restore.restore(self.lab.stack, self.file, told.append, yes=yes)
        return told


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    return World(monkeypatch, tmp_path)


def names(state: dict[str, Any]) -> set[str]:
    return {each["urn"].rsplit("::", 1)[-1] for each in state["deployment"]["resources"]}


def test_file_state_and_swarm_come_back_where_all_is_lost(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    told = world.restore()
    assert world.lab.stack.file.read_text() == world.backup.configuration
    assert "swarm-init" in names(world.state)
    assert [host.name for host in world.put] == ["phone-1"]
    assert told[0] == "Pulumi.lab.yaml is back, as it was on 2026-11-23 09:30 UTC"
    assert "`make up STACK=lab`" in told[-1]
    assert capsys.readouterr().out.splitlines()[:3] == [
        "The lab lab is brought back as it was on 2026-11-23 09:30 UTC:",
        "- the swarm, on phone-1",
        "- Pulumi's state, which is empty now",
    ]


def test_phones_that_are_the_same_are_looked_at_anew_by_up_too(world: World) -> None:
    world.restore()
    assert not [name for name in names(world.state) if "phone-" in name]


def test_a_manager_that_is_off_is_known_as_what_the_swarm_made_of_it(world: World) -> None:
    world.shown["phone-2"] = UnreachableError("phone-2 does not answer")
    world.restore()
    (member,) = [
        each
        for each in world.state["deployment"]["resources"]
        if each["urn"].endswith("::swarm-phone-2")
    ]
    assert member["outputs"]["role"] == "worker"


def test_a_file_that_is_there_stays_as_it_is(world: World) -> None:
    world.lab.stack.file.write_text("config: {}\n")
    told = world.restore()
    assert world.lab.stack.file.read_text() == "config: {}\n"
    assert told[0] == (
        "Pulumi.lab.yaml is not what it was on 2026-11-23 09:30 UTC; it stays as it is now"
    )


def test_replaced_phones_are_told_and_made_anew_by_up(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.shown = {"phone-1": NEW, "phone-2": "ssh-ed25519 AAAA-other"}
    world.restore()
    urns = [each["urn"] for each in world.state["deployment"]["resources"]]
    assert not [urn for urn in urns if "phone-" in urn]
    assert world.put[0].host_key == NEW
    assert world.let_in == {"phone-1": NEW, "phone-2": "ssh-ed25519 AAAA-other"}
    assert world.removed == ["phone-2"]
    assert f"- phone-1 shows another host key than then ({NEW})" in capsys.readouterr().out


def test_a_restore_that_was_cut_off_is_done_again_in_full(world: World) -> None:
    world.shown["phone-1"] = NEW
    world.restore()
    first = world.state
    # By now the state and the lab's file know the new key; the backup still has the old one.
    hosts = {name: host.with_host_key(NEW) for name, host in world.lab.hosts.items()}
    world.lab = replace(world.lab, hosts={**hosts, "phone-2": world.lab.hosts["phone-2"]})
    world.resources = first["deployment"]["resources"]
    world.state = {}
    world.restore()
    assert world.state == first
    assert [host.host_key for host in world.put] == [NEW, NEW]


def test_a_swarm_that_lives_stays_as_it_is_and_only_the_state_comes_back(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.swarms = {"phone-1": "ours"}
    world.restore()
    assert "swarm-init" in names(world.state)
    assert world.put == []
    assert world.refreshed == 1
    assert "- its swarm lives and stays as it is" in capsys.readouterr().out


def test_a_phone_that_is_off_is_told_and_keeps_nobody_waiting(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.shown["phone-2"] = UnreachableError("phone-2 does not answer")
    world.restore()
    assert "- phone-2 does not answer" in capsys.readouterr().out


def _other_lab(world: World) -> None:
    world.backup = a_backup(stack="kitchen")


def _lives(world: World) -> None:
    world.swarms, world.resources = {"phone-1": "ours"}, [{}]


def _lives_on_other_phones(world: World) -> None:
    world.shown = {"phone-1": NEW, "phone-2": "ssh-ed25519 AAAA-other"}
    _lives(world)


def _leaderless(world: World) -> None:
    world.swarms = {"phone-1": restore.LEADERLESS}


def _target_is_off(world: World) -> None:
    world.shown["phone-1"] = UnreachableError("phone-1 does not answer")


def _target_is_gone(world: World) -> None:
    world.backup = a_backup(phone="phone-7")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_other_lab, "is a backup of the lab kitchen, not of lab"),
        (_lives, "the lab lives: its swarm answers and Pulumi knows it, so nothing was restored"),
        (_lives_on_other_phones, "the lab lives: its swarm answers and Pulumi knows it"),
        (_leaderless, "run `make recover PHONE=phone-1 STACK=lab`"),
        (_target_is_off, "phone-1 is to get the swarm: phone-1 does not answer"),
        (_target_is_gone, "Pulumi.lab.yaml has no phone 'phone-7'; it has phone-1, phone-2"),
    ],
)
def test_where_a_backup_is_not_the_way_nothing_is_done(
    make: Any, message: str, world: World
) -> None:
    make(world)
    with pytest.raises(OperationError) as caught:
        world.restore()
    assert message in str(caught.value)
    assert (world.state, world.put, world.pinned) == ({}, [], {})


def test_without_a_yes_nothing_is_done(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking.sys.stdin, "isatty", lambda: False, raising=False)
    with pytest.raises(OperationError, match="YES=1"):
        world.restore(yes=False)
    assert (world.state, world.put) == ({}, [])


def test_what_is_replaced_is_counted() -> None:
    found = restore.Found(shown={}, new_keys={}, silent={}, alive=False, known=72)
    backup: Backup = a_backup()
    assert "what it knows now (72 resources) is replaced" in restore.question(backup, found)
