"""Waiting on a manager until a service runs, and taking back an update that does not get there."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from components.members.managers import nodes_by_id, update_spec, wait_until
from components.remote.engine_api import Engine
from components.remote.ssh import PhoneError

from .convergence import ONCE_MORE, Progress, explain, judge, log_lines

CONVERGE_SECONDS = 300.0
# A phone with a slow disk and wifi takes that long for a large image.
PULL_SECONDS = 1800.0
# A task that finds no phone now seldom finds one later; a crash loop seldom ends by itself.
WAITING_SECONDS = 45.0
FAILURES = 6
# Swarm may call an update off before it lists the failure of the task that it is called off for, or
# when it has put that away; the next task in its place fails soon after.
REASON_SECONDS = 10.0
# A process that dies at once has mostly done so after this long.
STEADY_SECONDS = 1.0
# What Swarm itself was asked to take back, it takes back in the order and pace of the file.
ROLLBACK_SECONDS = 120.0
_UNDER_WAY = ("updating", "paused")
_UNDONE = ("rollback_completed", "rollback_paused")


def progress_of(manager: Engine, name: str) -> Progress:
    """Where the service stands now."""
    found = manager.get("/services", status=True, filters={"name": [name]})
    service = next(item for item in found if item["Spec"]["Name"] == name)
    tasks = manager.get("/tasks", filters={"service": [name]})
    progress = judge(service, tasks)
    if progress.updating and progress.running == progress.desired:
        nodes = nodes_by_id(manager).items()
        down = {key for key, node in nodes if node["Status"]["State"] == "down"}
        progress = judge(service, tasks, down)
    return progress


def wait_converged(manager: Engine, name: str, start_seconds: float) -> None:
    """Returns when all tasks run and are healthy.

    ``start_seconds`` is what a healthy task may take by its own health check.

    Raises:
        PhoneError: it will not come to that, with Swarm's reason, the last task's error and the
            last lines of the log.
    """
    begun = time.monotonic()
    deadline = begun + CONVERGE_SECONDS + start_seconds
    failed: dict[str, str] = {}
    log: list[str] = []
    steady_since = waiting_since = verdict_since = None
    while True:
        progress = progress_of(manager, name)
        if progress.failed.keys() - failed.keys():
            # Of a task that Swarm puts away nobody has the log any more.
            log = _last_log(manager, name) or log
        failed.update(progress.failed)
        now = time.monotonic()
        if progress.preparing:
            # The time that an image takes to arrive is not the service's.
            deadline = max(deadline, now + CONVERGE_SECONDS + start_seconds)
        steady_since = (steady_since or now) if progress.converged else None
        waiting_since = (waiting_since or now) if progress.waiting else None
        verdict_since = (verdict_since or now) if progress.verdict else None
        enough = STEADY_SECONDS + progress.watched_seconds
        if steady_since is not None and now - steady_since >= enough:
            return
        hopeless = (
            (verdict_since is not None and (failed or now - verdict_since > REASON_SECONDS))
            or len(failed) >= FAILURES
            or (waiting_since is not None and now - waiting_since > WAITING_SECONDS)
        )
        if hopeless or now > min(deadline, begun + PULL_SECONDS):
            # What a task failed of counts on, though Swarm may have put it away since.
            told = replace(progress, failed=failed)
            raise PhoneError(explain(name, told, _last_log(manager, name) or log))
        time.sleep(0.25)


def resume(manager: Engine, name: str, *, as_seen: bool, takes_back: bool) -> None:
    """Lets an update that a failure has paused go on: the cause may be gone, or it fails again.

    Not one that is to be taken back and can be: it has failed, perhaps before anybody
    looked, and Swarm would put what has failed in the place of what ran before.

    One that was taken back is over only where a refresh has seen what runs since, ``as_seen``: the
    plan after it compared that with what is asked for, and has changed it already where it differs.

    Raises:
        PhoneError: the last update was taken back, so what runs is not what was asked for.
    """
    service = manager.get(f"/services/{name}")
    state = _update_state(service)
    if state == "paused" and takes_back and not as_seen and _can_go_back(service):
        return
    if state == "paused" or (as_seen and state in _UNDONE):
        update_spec(manager, f"/services/{name}", lambda _spec: None, even_unchanged=True)
    elif state in _UNDONE:
        raise PhoneError(explain(name, progress_of(manager, name), []))


def roll_back(manager: Engine, name: str) -> str:
    """Takes an update back that is under way or paused; what a person is told about it.

    Where Swarm has begun to by itself, as the file may ask for, it is only waited for.
    """
    service = manager.get(f"/services/{name}")
    if _update_state(service) in _UNDER_WAY and service.get("PreviousSpec"):
        manager.post(
            f"/services/{name}/update",
            service["Spec"],
            version=service["Version"]["Index"],
            rollback="previous",
        )

    def settled() -> bool:
        return _update_state(manager.get(f"/services/{name}")) != "rollback_started"

    wait_until(settled, ROLLBACK_SECONDS, every=0.5)
    if _update_state(manager.get(f"/services/{name}")) == "rollback_completed":
        return f"what ran before runs again; {ONCE_MORE}"
    return ""


def _can_go_back(service: dict[str, Any]) -> bool:
    before = service.get("PreviousSpec")
    return bool(before) and before["TaskTemplate"] != service["Spec"]["TaskTemplate"]


def _update_state(service: dict[str, Any]) -> str:
    status: dict[str, Any] = service.get("UpdateStatus") or {}
    return status.get("State", "")


def _last_log(manager: Engine, name: str) -> list[str]:
    try:
        stream = manager.request(
            "GET", f"/services/{name}/logs", {"stdout": True, "stderr": True, "tail": "5"}
        )
    except PhoneError:
        return []
    return log_lines(stream)[-8:]
