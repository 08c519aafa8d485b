"""A backup stops the manager that is missed least, and asks where that costs the majority."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from components.remote.ssh import Host
from operations import archive, asking, backup
from operations.backup import choose, costs_majority
from operations.errors import OperationError
from operations.nodes import Node
from tests.unit.operations_samples import lab, manager, node

THREE = [manager("phone-1", leader=True), manager("phone-2"), manager("phone-3"), node("phone-4")]


def hosts(*names: str) -> dict[str, Host]:
    return {
        name: Host(name=name, host=name, port=22, user="cloudlet", key_file="none")
        for name in names
    }


ALL = hosts("phone-1", "phone-2", "phone-3", "phone-4")


def test_the_manager_with_the_fewest_tasks_is_taken() -> None:
    assert (
        choose(THREE, {"id-phone-2": 3, "id-phone-3": 2, "id-phone-1": 5}, ALL).phone == "phone-3"
    )


def test_the_leader_is_spared_where_another_runs_no_more() -> None:
    assert choose(THREE, {}, ALL).phone == "phone-2"


def test_a_worker_a_dead_manager_and_a_stranger_are_never_taken() -> None:
    nodes = [
        manager("phone-1", reachable=False),
        manager("phone-2", state="down"),
        manager("phone-9"),
        node("phone-4"),
    ]
    with pytest.raises(OperationError, match="no manager of the configuration is ready"):
        choose(nodes, {}, ALL)


@pytest.mark.parametrize(
    ("nodes", "cost"),
    [
        (THREE, ""),
        ([manager("phone-2"), node("phone-4")], "phone-2 is its only manager"),
        (
            [manager("phone-1"), manager("phone-2")],
            "2 managers need 2 to answer, and 1 would",
        ),
        (
            [manager("phone-1"), manager("phone-2"), manager("phone-3", reachable=False)],
            "3 managers need 2 to answer, and 1 would",
        ),
    ],
)
def test_what_stopping_one_costs_is_a_sum(nodes: list[Node], cost: str) -> None:
    assert costs_majority(nodes, manager("phone-2")) == cost


class Phones:
    """A lab whose managers list ``nodes``; ``taken`` are those whose Docker was stopped."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, nodes: list[Node]) -> None:
        self.taken: list[str] = []
        self.nodes = nodes
        monkeypatch.setattr(backup, "listed", lambda _managers: self.nodes)
        monkeypatch.setattr(backup, "engine", self.engine)
        monkeypatch.setattr(backup, "swarm_state", lambda _: {"Cluster": {"ID": "ours"}})
        monkeypatch.setattr(backup.swarm_folder, "take", self.take)
        monkeypatch.setenv(asking.PASSPHRASE, "correct horse")

    @contextmanager
    def engine(self, _host: Host) -> Generator[Any]:
        class Client:
            def get(self, _path: str, **_query: Any) -> list[dict[str, str]]:
                return [{"NodeID": "id-phone-2"}, {"NodeID": "id-phone-2"}, {}]

        yield Client()

    def take(self, host: Host) -> bytes:
        self.taken.append(host.name)
        return b"raft-keys"


def test_a_backup_holds_the_labs_file_its_state_and_the_swarm(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    phones = Phones(monkeypatch, THREE)
    made = lab(tmp_path, dict.fromkeys(("phone-1", "phone-2", "phone-3"), "manager"))
    made.stack.file.write_text("config: {}\n")
    monkeypatch.setattr(type(made.stack), "export", lambda _: {"deployment": {}})
    written: list[archive.Backup] = []

    def write(kept: archive.Backup, file: Path, secret: str) -> None:
        assert secret == "correct horse"
        written.append(kept)
        file.write_bytes(b"encrypted")

    monkeypatch.setattr(backup.archive, "write", write)
    file = backup.back_up(made, tmp_path / "backup", lambda _: None, yes=False)
    (kept,) = written
    assert phones.taken == ["phone-3"]
    assert (kept.phone, kept.node_id, kept.swarm_id) == ("phone-3", "id-phone-3", "ours")
    assert (kept.configuration, kept.swarm) == ("config: {}\n", b"raft-keys")
    with pytest.raises(OperationError, match="is there already"):
        backup.back_up(made, file, lambda _: None, yes=True)
    assert phones.taken == ["phone-3"]


def test_where_the_file_cannot_be_nothing_is_stopped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    phones = Phones(monkeypatch, THREE)
    made = lab(tmp_path, dict.fromkeys(("phone-1", "phone-2", "phone-3"), "manager"))
    (tmp_path / "a-file").touch()
    with pytest.raises(OperationError, match="a-file is there already; give another FILE"):
        backup.back_up(made, tmp_path / "a-file" / "backup", lambda _: None, yes=True)
    assert phones.taken == []


def test_the_only_manager_is_not_stopped_without_a_yes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    phones = Phones(monkeypatch, [manager("phone-1")])
    monkeypatch.setattr(asking.sys.stdin, "isatty", lambda: False, raising=False)
    made = lab(tmp_path, {"phone-1": "manager"})
    with pytest.raises(OperationError, match="YES=1"):
        backup.back_up(made, tmp_path / "backup", lambda _: None, yes=False)
    assert phones.taken == []
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().out.splitlines()[0] == (
        "Docker on phone-1 is stopped for some seconds, and what runs there. Meanwhile the swarm "
        "takes no orders: phone-1 is its only manager."
    )


def test_without_a_passphrase_nothing_is_stopped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    phones = Phones(monkeypatch, THREE)
    monkeypatch.delenv(asking.PASSPHRASE)
    monkeypatch.setattr(asking.sys.stdin, "isatty", lambda: False, raising=False)
    made = lab(tmp_path, dict.fromkeys(("phone-1", "phone-2", "phone-3"), "manager"))
    with pytest.raises(OperationError, match="CLOUDLET_BACKUP_PASSPHRASE"):
        backup.back_up(made, tmp_path / "backup", lambda _: None, yes=False)
    assert phones.taken == []
