"""A service's log, from all its tasks wherever they run, through any manager that answers."""

from __future__ import annotations

from components.remote.engine_api import engine
from components.remote.ssh import Host

from . import ssh_command
from .errors import OperationError
from .labs import Lab
from .parallel import first_to_tell

SECONDS = 10.0
# What has been logged already and is shown first, of each task.
LINES = 100


def follow(lab: Lab, service: str) -> int:
    """Shows the log of ``service`` (Swarm's name for it: ``STACK_SERVICE``) until Ctrl-C.

    Its status is that of ``docker service logs``; whoever has seen enough ends it with success.

    Raises:
        OperationError: no manager answers, or the swarm has no such service.
    """
    manager, services = first_to_tell(lab.managers, _services, SECONDS, "which services there are")
    if service not in services:
        raise OperationError(
            f"the swarm has no service {service!r}; it has {', '.join(services) or 'none'}"
        )
    command = ["docker", "service", "logs", "--follow", "--tail", str(LINES), service]
    return ssh_command.watch(manager, command)


def _services(host: Host, seconds: float) -> list[str]:
    with engine(host, seconds) as client:
        return sorted(service["Spec"]["Name"] for service in client.get("/services"))
