"""Waiting until a service runs as asked, and saying why it does not."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final, cast

from . import durations
from .client import Client, filters
from .errors import PluginError

Values = dict[str, Any]

_STOPPED: Final = ("rollback_completed", "rollback_paused", "paused")
# Swarm needs a moment to notice an update before it says that one is under way.
_NOTICE: Final = 1.0


def _seconds(config: Values, key: str) -> float:
    return (durations.parse(config[key]) or 0) / 10**9


def wait_until_running(
    client: Client, service_id: str, config: Values, *, before: Values | None = None
) -> None:
    """Waits as `convergeConfig` says. `before` is an update's service as it was.

    Raises PluginError with the tasks' own last error.
    """
    limit = _seconds(config, "timeout")
    deadline = time.monotonic() + limit
    pause = min(max(_seconds(config, "delay"), _NOTICE), 2.0)
    time.sleep(_NOTICE)
    while True:
        service = client.get(f"/services/{service_id}")
        tasks = _tasks_of(client, service_id)
        if problem := stopped(service, before):
            raise PluginError(_with_reason(problem, tasks))
        if converged(service, tasks, before):
            return
        if time.monotonic() > deadline:
            name = service["Spec"]["Name"]
            text = durations.show(round(limit * 10**9))
            raise PluginError(_with_reason(f"service {name} did not converge in {text}", tasks))
        time.sleep(pause)


def _tasks_of(client: Client, service_id: str) -> list[Values]:
    return client.get("/tasks", filters(service=[service_id]))


def _status(service: Values) -> Values:
    return service.get("UpdateStatus") or {}


def _own_status(service: Values, before: Values | None) -> Values:
    """The status of this update, not what an earlier one left behind."""
    status = _status(service)
    same_as_before = before is not None and status.get("StartedAt") == _status(before).get(
        "StartedAt"
    )
    return {} if before is None or same_as_before else status


def stopped(service: Values, before: Values | None) -> str:
    """Why Swarm gave this update up, or "". Pure."""
    status = _own_status(service, before)
    if status.get("State") not in _STOPPED:
        return ""
    state = str(status["State"]).replace("_", " ")
    return f"service {service['Spec']['Name']}: update {state}: {status.get('Message', '')}"


def converged(service: Values, tasks: Sequence[Values], before: Values | None) -> bool:
    """Whether as many tasks run as there should be, and no update is under way. Pure."""
    if _own_status(service, before).get("State") in ("updating", "rollback_started"):
        return False
    replicated = service["Spec"]["Mode"].get("Replicated")
    if replicated is None:
        return True
    running = [
        task
        for task in tasks
        if task.get("DesiredState") == "running" and task["Status"].get("State") == "running"
    ]
    return len(running) == replicated.get("Replicas", 0)


def last_error(tasks: Sequence[Values]) -> str:
    """The newest error that a task reports, or "". Pure."""
    failed = [task for task in tasks if cast("Values", task["Status"]).get("Err")]
    failed.sort(key=lambda task: task["Status"].get("Timestamp", ""))
    return failed[-1]["Status"]["Err"] if failed else ""


def _with_reason(problem: str, tasks: Sequence[Values]) -> str:
    error = last_error(tasks)
    if error:
        return f"{problem}: its last task says: {error}"
    states = sorted({task["Status"].get("State", "") for task in tasks})
    return f"{problem}: its tasks are {', '.join(states)}" if states else f"{problem}: no tasks"
