"""Waiting until the tasks that a change of membership moves to other phones run there.

What is deployed later in the same run waits for itself, and only where it changes: without this, an
`up` that mends a membership would be over while services still lack tasks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from components.dynamic import tell
from components.remote.engine_api import Engine
from components.remote.ssh import PhoneError
from components.services.convergence import judge

from .managers import wait_until

SETTLE_SECONDS = 60.0
LOOKS = 2

# Services that did not come to run in this process: the next change of membership does not wait for
# them again.
_given_up: set[str] = set()


def await_tasks(manager: Engine) -> None:
    """Returns when every service has the tasks that it can have, or says after a bound which not.

    A service without a phone for its task, or with an update that stands, is not waited for; nor
    is anything where the manager does not answer: membership is what was asked for.
    """
    missing: set[str] = set()
    calm = 0

    def settled() -> bool:
        nonlocal calm
        services = manager.get("/services", status=True)
        if not services:
            return True
        missing.clear()
        missing.update(lacking(services, manager.get("/tasks")) - _given_up)
        calm = 0 if missing else calm + 1
        # The first look may come before Swarm has begun to move what it will move.
        return calm == LOOKS

    try:
        if not wait_until(settled, SETTLE_SECONDS, every=0.5) and missing:
            _given_up.update(missing)
            tell(
                f"{', '.join(sorted(missing))}: not all tasks run {SETTLE_SECONDS:.0f} s after "
                "phones came or went; going on"
            )
    except PhoneError:
        return


def lacking(
    services: Collection[Mapping[str, Any]], tasks: Sequence[Mapping[str, Any]]
) -> set[str]:
    """Names of the services that have fewer running tasks than they should and yet may get them.

    ``services`` and ``tasks`` as ``GET /services?status=true`` and ``GET /tasks`` have them.
    """
    found: set[str] = set()
    for service in services:
        if not {"Replicated", "Global"} & service["Spec"]["Mode"].keys():
            continue
        own = [task for task in tasks if task["ServiceID"] == service["ID"]]
        progress = judge(service, own)
        stands = progress.updating or progress.verdict or progress.waiting
        if not stands and progress.running < progress.desired:
            found.add(service["Spec"]["Name"])
    return found
