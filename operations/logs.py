"""A service's log, from all its tasks wherever they run, through any manager that answers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from components.engine_api import engine
from components.ssh import Host

from . import ssh_command
from .errors import OperationError
from .labs import Lab
from .parallel import gather

SECONDS = 10.0
# What has been logged already and is shown first, of each task.
LINES = 100


def follow(lab: Lab, service: str) -> None:
    """Becomes the log of ``service`` (Swarm's name for it: ``STACK_SERVICE``), until Ctrl-C.

    Raises:
        OperationError: no manager answers, or the swarm has no such service.
    """
    manager, services = _ask(lab.managers)
    if service not in services:
        raise OperationError(
            f"the swarm has no service {service!r}; it has {', '.join(services) or 'none'}"
        )
    command = ["docker", "service", "logs", "--follow", "--tail", str(LINES), service]
    ssh_command.become(manager, command, terminal=False)


def _ask(managers: Sequence[Host]) -> tuple[Host, list[str]]:
    """The first manager that tells which services there are, and their names."""
    answers = gather(
        {host.name: partial(_services, host) for host in managers},
        SECONDS,
        lambda answers: any(isinstance(answer, list) for answer in answers.values()),
    )
    for host in managers:
        answer = answers.get(host.name)
        if isinstance(answer, list):
            return host, answer
    silent = f"gave no answer within {SECONDS:.0f} s; is the majority of the managers lost?"
    reasons = [str(answers.get(host.name, f"{host.name}: {silent}")) for host in managers]
    raise OperationError(f"No manager tells which services there are: {'; '.join(reasons)}")


def _services(host: Host) -> list[str]:
    with engine(host, SECONDS) as client:
        return sorted(service["Spec"]["Name"] for service in client.get("/services"))
