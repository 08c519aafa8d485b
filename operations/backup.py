"""A lab in one encrypted file: the swarm as a manager holds it, Pulumi's state, the lab's file."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from components.members import quorum
from components.members.managers import cluster_id, swarm_state
from components.remote.engine_api import engine
from components.remote.ssh import Host, PhoneError

from . import archive, swarm_folder
from .archive import Backup
from .asking import confirm, passphrase
from .errors import OperationError
from .labs import Lab
from .nodes import Node, listed
from .pulumi_cli import ROOT

FOLDER = ROOT / "backups"
BACK_SECONDS = 60.0


def back_up(lab: Lab, file: Path | None, tell: Callable[[str], None], *, yes: bool) -> Path:
    """Writes a backup; its file, in ``backups/`` where none is named.

    Asks before it stops a manager without which the swarm has no majority.

    Raises:
        OperationError: the file cannot be written, no manager can be had for it, or the answer was
            no. Docker was stopped nowhere then.
    """
    made = datetime.now(UTC).replace(microsecond=0)
    file = file or FOLDER / archive.file_name(lab.stack.name, made)
    with archive.reserved(file):
        nodes = listed(lab.managers)
        node = choose(nodes, _tasks(lab), lab.hosts)
        host = lab.hosts[node.phone]
        if reason := costs_majority(nodes, node):
            confirm(
                f"Docker on {host.name} is stopped for some seconds, and what runs there. "
                f"Meanwhile the swarm takes no orders: {reason}.",
                yes=yes,
            )
        secret = passphrase("for the backup", twice=True)
        with engine(host) as client:
            swarm_id = cluster_id(swarm_state(client))
        swarm = _take(host, tell)
        backup = Backup(
            made=made,
            stack=lab.stack.name,
            phone=host.name,
            swarm_id=swarm_id,
            node_id=node.id,
            configuration=lab.stack.file.read_text(encoding="utf-8"),
            state=lab.stack.export(),
            swarm=swarm,
        )
        archive.write(backup, file, secret)
    _wait_until_back(lab, node)
    return file


def _take(host: Host, tell: Callable[[str], None]) -> bytes:
    tell(f"stopping Docker on {host.name} for a copy of its part of the swarm")
    started = time.monotonic()
    swarm = swarm_folder.take(host)
    tell(f"Docker on {host.name} runs again; that took {time.monotonic() - started:.0f} s")
    return swarm


def choose(nodes: Sequence[Node], tasks: Mapping[str, int], hosts: Mapping[str, Host]) -> Node:
    """The manager that is missed least: it runs the fewest tasks, and leads only if it must.

    ``tasks`` is how many run on each node, by id. Raises OperationError where none answers.
    """
    managers = [
        node for node in nodes if node.reachable and node.state == "ready" and node.phone in hosts
    ]
    if not managers:
        raise OperationError("no manager of the configuration is ready; see `make status`")
    return min(managers, key=lambda node: (tasks.get(node.id, 0), node.leader, node.phone))


def costs_majority(nodes: Sequence[Node], going: Node) -> str:
    """Why the swarm takes no orders while ``going`` is away; empty where it goes on."""
    managers = [node for node in nodes if node.role == "manager"]
    left = sum(node.reachable for node in managers if node.id != going.id)
    needed = quorum.majority(len(managers))
    if left >= needed:
        return ""
    if len(managers) == 1:
        return f"{going.phone} is its only manager"
    return f"{len(managers)} managers need {needed} to answer, and {left} would"


def _tasks(lab: Lab) -> dict[str, int]:
    """How many tasks run on each node, by id; nothing where no manager tells."""
    counted: dict[str, int] = {}
    for host in lab.managers:
        try:
            with engine(host) as client:
                for task in client.get("/tasks", filters={"desired-state": ["running"]}):
                    node_id = task.get("NodeID", "")
                    counted[node_id] = counted.get(node_id, 0) + 1
                return counted
        except PhoneError:
            continue
    return counted


def _wait_until_back(lab: Lab, before: Node) -> None:
    """The next one that is stopped, here or by hand, must find this one among the managers."""
    deadline = time.monotonic() + BACK_SECONDS
    while time.monotonic() < deadline:
        if _is_back(lab, before):
            return
        time.sleep(1)
    raise OperationError(
        f"the backup is written, but {before.phone} is not back among the managers after "
        f"{BACK_SECONDS:.0f} s; see `make status`"
    )


def _is_back(lab: Lab, before: Node) -> bool:
    try:
        nodes = listed(lab.managers)
    except OperationError:
        return False
    return any(node.id == before.id and node.reachable and node.state == "ready" for node in nodes)
