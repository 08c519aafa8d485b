"""What the docker provider's service cannot do well: scale, wait until it runs, drain.

The provider's own service sends environment variables in random order with every update, so that
scaling through it restarts all tasks; its convergence wait deletes what it waited for; and a
delete may fail on a slow stop. This companion owns the number of replicas instead.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, ReadResult, Resource, UpdateResult

from .convergence import Progress, explain, judge, log_lines
from .dynamic import Provider, tell, tell_once
from .engine_api import Engine, EngineError, NoLeaderError
from .hooks import in_thread
from .managers import Access, manager_of, update_spec, wait_until
from .ssh import PhoneError

CONVERGE_SECONDS = 300.0
# A task that finds no phone now seldom finds one later; a crash loop seldom ends by itself.
WAITING_SECONDS = 45.0
FAILURES = 6
# A process that dies at once has mostly done so after this long.
STEADY_SECONDS = 1.0
ALIVE = ("assigned", "accepted", "preparing", "ready", "starting", "running")
NOWHERE = "node.id == drained-by-cloudlet"


class RolloutProvider(Provider):
    """Inputs ``service`` (its name), ``service_id``, ``spec_digest``, ``replicas`` (-1: global),
    ``grace_seconds``, ``managers``, ``swarm_id``."""

    updates = ("replicas", "spec_digest", "managers")
    replaces = ("service_id",)

    def create(self, props: dict[str, Any]) -> CreateResult:
        self._roll_out(props)
        return CreateResult(props["service"], dict(props))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        try:
            with manager_of(props) as manager:
                replicas = _replicas(manager.get(f"/services/{id_}"))
                progress = _progress(manager, id_)
        except PhoneError as error:
            if isinstance(error, EngineError) and error.status == 404:
                return ReadResult(None, {})
            tell_once(str(error))
            return ReadResult(id_, props)
        seen: dict[str, Any] = {"replicas": replicas}
        if replicas == props["replicas"] and not progress.converged:
            # Not what was rolled out: so the plan says why, and the next `up` waits and tells.
            seen["spec_digest"] = explain(id_, progress, [])
        return ReadResult(id_, {**props, **seen})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        self._roll_out(_news)
        return UpdateResult(dict(_news))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        try:
            with manager_of(_props) as manager:
                _drain(manager, _id, _props["grace_seconds"])
        except PhoneError as error:
            if isinstance(error, EngineError) and not isinstance(error, NoLeaderError):
                if error.status == 404:
                    return
                raise
            tell_once(str(error))
            tell(f"{_id}: could not be drained")

    def _roll_out(self, props: dict[str, Any]) -> None:
        with manager_of(props) as manager:
            _resume(manager, props["service"])
            if props["replicas"] >= 0:
                _scale(manager, props["service"], int(props["replicas"]))
            _wait_converged(manager, props["service"])


@dataclass(frozen=True, kw_only=True)
class RolloutArgs:
    """``service`` is Swarm's name for it; ``spec_digest`` changes when its spec does.

    ``replicas`` is ``None`` for a global service; ``grace_seconds`` is what its tasks are given to
    stop.
    """

    service: str
    service_id: pulumi.Input[str]
    spec_digest: pulumi.Input[str]
    replicas: int | None
    grace_seconds: float
    access: Access


class Rollout(Resource, module="cloudlet", name="Rollout"):
    """Done when the service runs as asked."""

    def __init__(
        self, name: str, args: RolloutArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(
            RolloutProvider(),
            name,
            {
                "service": args.service,
                "service_id": args.service_id,
                "spec_digest": args.spec_digest,
                "replicas": -1 if args.replicas is None else args.replicas,
                "grace_seconds": args.grace_seconds,
                **args.access.to_inputs(),
            },
            opts,
        )


def keep_scale(
    service: str, replicas: int | None, access: Access
) -> list[pulumi.ResourceHook | pulumi.ResourceHookFunction]:
    """Hooks for after an update of a ``docker.Service``, whose replicas are those of its creation.

    Without them, a service that was scaled would stay at that number where the rollout that comes
    after the update has nothing to do, as when a failed change is taken back.
    """

    async def after_update(_args: pulumi.ResourceHookArgs) -> None:
        known = await pulumi.Output.from_input(access.to_inputs()).future()
        if known is not None and replicas is not None:
            await in_thread(scale, known)

    def scale(known: dict[str, Any]) -> None:
        with manager_of(known) as manager:
            _scale(manager, service, replicas or 0)

    return [pulumi.ResourceHook(f"{service}-keep-scale", after_update)]


def _replicas(service: dict[str, Any]) -> int:
    replicated = service["Spec"]["Mode"].get("Replicated")
    return -1 if replicated is None else replicated.get("Replicas", 1)


def _scale(manager: Engine, name: str, replicas: int) -> None:
    def change(spec: dict[str, Any]) -> None:
        spec["Mode"]["Replicated"]["Replicas"] = replicas

    update_spec(manager, f"/services/{name}", change)


def _resume(manager: Engine, name: str) -> None:
    """Lets an update that a failure has paused go on: the cause may be gone, or it fails again."""
    status: dict[str, Any] = manager.get(f"/services/{name}").get("UpdateStatus") or {}
    if status.get("State") == "paused":
        update_spec(manager, f"/services/{name}", lambda _spec: None, even_unchanged=True)


def _progress(manager: Engine, name: str) -> Progress:
    found = manager.get("/services", status=True, filters={"name": [name]})
    service = next(item for item in found if item["Spec"]["Name"] == name)
    return judge(service, manager.get("/tasks", filters={"service": [name]}))


def _wait_converged(manager: Engine, name: str) -> None:
    deadline = time.monotonic() + CONVERGE_SECONDS
    failed: dict[str, str] = {}
    steady_since = waiting_since = None
    while True:
        progress = _progress(manager, name)
        failed.update(progress.failed)
        now = time.monotonic()
        steady_since = (steady_since or now) if progress.converged else None
        waiting_since = (waiting_since or now) if progress.waiting else None
        if steady_since is not None and now - steady_since >= STEADY_SECONDS:
            return
        hopeless = (
            bool(progress.verdict)
            or len(failed) >= FAILURES
            or (waiting_since is not None and now - waiting_since > WAITING_SECONDS)
        )
        if hopeless or now > deadline:
            raise PhoneError(explain(name, progress, _last_log(manager, name)))
        time.sleep(0.25)


def _last_log(manager: Engine, name: str) -> list[str]:
    try:
        stream = manager.request(
            "GET", f"/services/{name}/logs", {"stdout": True, "stderr": True, "tail": "5"}
        )
    except PhoneError:
        return []
    return log_lines(stream)[-8:]


def _drain(manager: Engine, name: str, grace_seconds: float) -> None:
    """Stops all tasks with the grace that the file asks for, and waits until they are gone."""

    def stop(spec: dict[str, Any]) -> None:
        if "Replicated" in spec["Mode"]:
            spec["Mode"]["Replicated"]["Replicas"] = 0
        else:
            placement = spec["TaskTemplate"].setdefault("Placement", {})
            placement["Constraints"] = [NOWHERE]

    def gone() -> bool:
        tasks = manager.get("/tasks", filters={"service": [name]})
        return not (
            any(task["Status"]["State"] in ALIVE for task in tasks)
            or manager.get("/containers/json", all=True, filters=containers)
        )

    # The docker provider then waits, no longer than the grace, until this manager has no container
    # of the service. Those of a replicated one go with its tasks; a global one's stay, stopped.
    containers = {"label": [f"com.docker.swarm.service.name={name}"]}
    if _replicas(manager.get(f"/services/{name}")) < 0:
        containers["status"] = ["running"]
    update_spec(manager, f"/services/{name}", stop)
    if not wait_until(gone, grace_seconds + 60, every=0.5):
        tell(f"{name}: some tasks have not stopped; they end when their phones answer again")
