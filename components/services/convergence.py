"""When a service counts as running, and why it does not. Pure: Docker's answers in, words out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from components.compose.units import SECOND

# What Swarm calls a task that has ended without being asked to.
_FAILED = ("failed", "rejected")
# A task that is on its phone, or about to be.
ALIVE = ("assigned", "accepted", "preparing", "ready", "starting", "running")
# A global service's task is made for its phone, which none of these has come to yet.
_TO_COME = ("new", "pending")
# Swarm's own where the file names none.
_MONITOR = 5 * SECOND
# The first byte of a log's frame that no container wrote.
_OF_DOCKER = 3
# What a person may do after an update that was taken back.
ONCE_MORE = "`make up` tries what you change in the stack, `make refresh up` the same once more"
_ROLLED_BACK = ("rollback_completed", "rollback_paused", "rollback_started")


@dataclass(frozen=True, kw_only=True)
class Progress:
    """``running`` of ``desired`` tasks run the present spec and are healthy.

    ``version`` says which one that is, where an update has left two. ``phones`` is on how many a
    global service should be; Swarm itself asks for no task where one has failed and none is made
    anew. ``preparing`` tasks wait for their image; ``starting`` ones run and have yet to pass their
    health check. ``watched_seconds``: the update is not over, but only because it waits for a phone
    that is down; so long it would watch the others' tasks. ``failed`` maps ids of tasks that ended
    badly to their errors: those of the present spec, or of the one that was taken back;
    ``waiting`` is the scheduler's reason where a task finds no phone; ``verdict`` is Swarm's own on
    an update that went wrong.
    """

    running: int
    desired: int
    updating: bool
    version: str = ""
    phones: int | None = None
    preparing: int = 0
    starting: int = 0
    watched_seconds: float = 0.0
    failed: Mapping[str, str] = field(default_factory=dict[str, str])
    waiting: str = ""
    verdict: str = ""

    @property
    def converged(self) -> bool:
        return not self.updating and not self.verdict and self.running == self.desired


def judge(
    service: Mapping[str, Any],
    tasks: Sequence[Mapping[str, Any]],
    down: Collection[str] = (),
) -> Progress:
    """Where a service stands.

    Args:
        service: an item of ``GET /services?status=true``.
        tasks: ``GET /tasks`` for that service. A task with a health check is ``starting`` until
            the check has passed, so ``running`` here means healthy.
        down: ids of nodes that do not answer. Swarm's update of a global service waits until the
            task of a phone which has just died has stopped, and so for as long as it is dead.
    """
    template = service["Spec"]["TaskTemplate"]
    current = [
        task
        for task in tasks
        if task["DesiredState"] == "running" and _same_spec(task["Spec"], template)
    ]
    update: Mapping[str, Any] = service.get("UpdateStatus") or {}
    state = update.get("State", "")
    forlorn = state == "updating" and _waits_only_for(down, tasks)
    return Progress(
        running=sum(task["Status"]["State"] == "running" for task in current),
        desired=_desired(service),
        version=_version(state),
        phones=_phones(service, tasks),
        preparing=sum(task["Status"]["State"] == "preparing" for task in current),
        starting=sum(task["Status"]["State"] == "starting" for task in current),
        updating=state == "rollback_started" or (state == "updating" and not forlorn),
        watched_seconds=_watched_seconds(service["Spec"]) if forlorn else 0.0,
        failed=_failures(tasks, template, rolled_back=state in _ROLLED_BACK),
        waiting=next(
            (
                task["Status"]["Err"]
                for task in current
                if task["Status"]["State"] == "pending" and task["Status"].get("Err")
            ),
            "",
        ),
        verdict=_verdict(state, update.get("Message", "")),
    )


def explain(name: str, progress: Progress, log: Sequence[str]) -> str:
    """Why ``name`` does not run: Swarm's verdict, the scheduler's reason, the error, the log."""
    parts = [f"{name}: {_count(progress)}"]
    if progress.verdict:
        parts.append(progress.verdict)
    if progress.preparing:
        parts.append(f"{progress.preparing} wait for their image")
    if progress.starting:
        parts.append(f"{progress.starting} started, but the health check has not passed")
    if progress.waiting:
        parts.append(progress.waiting)
    if progress.failed:
        parts.append(f"its last task failed: {list(progress.failed.values())[-1]}")
    text = "; ".join(parts)
    if log:
        text += "\nthe last lines of its log:\n" + "\n".join(f"  {line}" for line in log)
    return text


def log_lines(stream: bytes) -> list[str]:
    """Lines of a Docker log stream: frames of an 8-byte header, whose last four are the length.

    What Docker says itself, as of a phone whose log it cannot get, is left out.
    """
    text = bytearray()
    while len(stream) >= 8:
        size = int.from_bytes(stream[4:8], "big")
        if stream[0] != _OF_DOCKER:
            text += stream[8 : 8 + size]
        stream = stream[8 + size :]
    return text.decode("utf-8", "replace").splitlines()


def _watched_seconds(spec: Mapping[str, Any]) -> float:
    """For how long an update watches what it has started."""
    config: Mapping[str, Any] = spec.get("UpdateConfig") or {}
    return (config.get("Monitor") or _MONITOR) / SECOND


def _waits_only_for(down: Collection[str], tasks: Sequence[Mapping[str, Any]]) -> bool:
    """Whether tasks of these nodes keep an update from its end, and of no others."""
    where = [
        task.get("NodeID")
        for task in tasks
        if task["Status"]["State"] in (*_TO_COME, *ALIVE)
        # What takes another's place is to be ready, and that one to shut down, until it has.
        and (task.get("NodeID") in down or task["DesiredState"] != "running")
    ]
    return bool(where) and all(node in down for node in where)


def _desired(service: Mapping[str, Any]) -> int:
    replicated = service["Spec"]["Mode"].get("Replicated")
    if replicated is not None:
        return replicated.get("Replicas", 1)
    return service["ServiceStatus"]["DesiredTasks"]


def _phones(service: Mapping[str, Any], tasks: Sequence[Mapping[str, Any]]) -> int | None:
    if "Replicated" in service["Spec"]["Mode"]:
        return None
    template = service["Spec"]["TaskTemplate"]
    where = {
        task.get("NodeID")
        for task in tasks
        if task["DesiredState"] in ("ready", "running")
        or (task["Status"]["State"] in _FAILED and _same_spec(task["Spec"], template))
    }
    return max(len(where), _desired(service))


def _version(state: str) -> str:
    if state in _ROLLED_BACK:
        return "the version before"
    return "the new version" if state in ("updating", "paused") else ""


def _count(progress: Progress) -> str:
    if progress.phones is None:
        words = f"{progress.running} of {progress.desired} tasks run"
        return f"{words} {progress.version}" if progress.version else words
    return f"{progress.running} of {progress.phones} phones run {progress.version or 'it'}"


def _failures(
    tasks: Sequence[Mapping[str, Any]], template: Mapping[str, Any], *, rolled_back: bool
) -> dict[str, str]:
    failed = [task for task in tasks if task["Status"]["State"] in _FAILED]
    others = [task for task in failed if not _same_spec(task["Spec"], template)]
    if rolled_back and others:
        # Swarm forgets a spec that it takes back; its tasks were the last to be made of another.
        template = max(others, key=lambda task: task["CreatedAt"].rstrip("Z"))["Spec"]
    return {
        task["ID"]: task["Status"].get("Err") or task["Status"].get("Message", "")
        for task in failed
        if _same_spec(task["Spec"], template)
    }


def _same_spec(task: Mapping[str, Any], template: Mapping[str, Any]) -> bool:
    """Whether a task was made from this template; Swarm fills the rest in alike in both."""
    keys = ("ContainerSpec", "ForceUpdate", "Resources", "RestartPolicy", "LogDriver")
    return all((task.get(key) or None) == (template.get(key) or None) for key in keys)


def _verdict(state: str, message: str) -> str:
    if state in _ROLLED_BACK:
        return f"the update failed and was rolled back ({message}); {ONCE_MORE}"
    if state == "paused":
        return f"the update was paused ({message})"
    return ""
