"""What runs in the swarm, and on which node, as a manager tells it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from components.remote.engine_api import engine
from components.remote.ssh import Host

from .errors import OperationError
from .nodes import LIST_SECONDS
from .parallel import first_to_tell


@dataclass(frozen=True, kw_only=True)
class Task:
    """One task that is meant to run. ``state`` is Docker's: starting until it is healthy, running,
    or what it waits for. ``node`` is the id of the node, empty where none was found for it."""

    service: str
    node: str
    state: str


@dataclass(frozen=True, kw_only=True)
class Service:
    """A service, by the name that Docker has for it: ``<stack>_<service>``.

    ``running`` of its ``wanted`` tasks run. ``image`` is as it was written, without the digest.
    """

    name: str
    stack: str
    image: str
    running: int
    wanted: int


@dataclass(frozen=True, kw_only=True)
class Running:
    """All services in the order of their names, and their tasks."""

    services: Sequence[Service]
    tasks: Sequence[Task]

    def on(self, node: str) -> dict[str, list[Task]]:
        """The tasks on a node, by service."""
        there: dict[str, list[Task]] = {}
        for task in self.tasks:
            if task.node == node:
                there.setdefault(task.service, []).append(task)
        return there


NOTHING = Running(services=(), tasks=())


def running(managers: Sequence[Host], seconds: float = LIST_SECONDS) -> Running | None:
    """What runs, by the first of ``managers`` that tells; ``None`` where none does in time."""
    try:
        return first_to_tell(managers, told_by, seconds, "what runs")[1]
    except OperationError:
        return None


def told_by(host: Host, seconds: float = LIST_SECONDS) -> Running:
    """What runs, as this manager has it.

    Raises:
        PhoneError: it does not answer, is no manager, or the managers have no majority.
    """
    with engine(host, seconds) as client:
        return parse(
            client.get("/services", status=True),
            client.get("/tasks", filters={"desired-state": ["running"]}),
        )


def parse(services: Iterable[dict[str, Any]], tasks: Iterable[dict[str, Any]]) -> Running:
    """Docker's ``GET /services?status=true`` and ``GET /tasks``."""
    names = {service["ID"]: service["Spec"]["Name"] for service in services}
    return Running(
        services=sorted(map(_service, services), key=lambda service: service.name),
        tasks=[
            Task(
                service=names[task["ServiceID"]],
                node=task.get("NodeID", ""),
                state=task["Status"]["State"],
            )
            for task in tasks
            if task.get("ServiceID") in names
        ],
    )


def _service(service: dict[str, Any]) -> Service:
    spec = service["Spec"]
    status: dict[str, int] = service.get("ServiceStatus") or {}
    return Service(
        name=spec["Name"],
        stack=spec.get("Labels", {}).get("com.docker.stack.namespace", ""),
        image=spec["TaskTemplate"]["ContainerSpec"]["Image"].partition("@")[0],
        running=status.get("RunningTasks", 0),
        wanted=status.get("DesiredTasks", 0),
    )
