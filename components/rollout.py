"""What the docker provider's service cannot do well: scale, wait until it runs, drain.

The provider's own service sends environment variables in random order with every update, so that
scaling through it restarts all tasks; its convergence wait deletes what it waited for; and a
delete may fail on a slow stop. This companion owns the number of replicas instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, ReadResult, Resource, UpdateResult

from . import plan_words
from .compose import Service
from .compose.units import SECOND
from .dynamic import Provider, tell, tell_once
from .members.managers import Access, manager_of, nodes_by_id, update_spec, wait_until
from .remote.engine_api import Engine, EngineError, NoLeaderError
from .remote.ssh import PhoneError
from .services.convergence import ALIVE, explain
from .services.converging import progress_of, resume, roll_back, wait_converged
from .services.fingerprints import is_digest

NOWHERE = "node.id == drained-by-cloudlet"


class RolloutProvider(Provider):
    """Inputs ``service`` (its name), ``service_id``, ``spec_digest`` and its ``parts`` (what a plan
    names its changes by), ``replicas`` (-1: global),
    ``grace_seconds``, ``start_seconds``, ``takes_back``, ``managers``, ``swarm_id``. A refresh adds
    ``undone``: the last update did not get there, and the rest of the state knows what runs."""

    updates = ("replicas", "spec_digest", "managers")
    replaces = ("service_id",)

    def reasons(self, olds: dict[str, Any], news: dict[str, Any]) -> Iterable[str]:
        name, old, new = news["service"], olds["replicas"], news["replicas"]
        if old != new and min(old, new) >= 0:
            yield f"{name}: {old:.0f} → {new:.0f} replicas"
        if olds["spec_digest"] == news["spec_digest"]:
            return
        if not is_digest(olds["spec_digest"]):
            # What the refresh found.
            yield f"{olds['spec_digest']}; `up` waits until it runs as asked"
        elif "parts" in olds:
            changed = plan_words.service(olds["parts"], news["parts"])
            yield f"{name}: {', '.join(changed) or 'its image is another build'}"

    def create(self, props: dict[str, Any]) -> CreateResult:
        _roll_out(props, takes_back=False)
        return CreateResult(props["service"], dict(props))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        try:
            with manager_of(props) as manager:
                replicas = _replicas(manager.get(f"/services/{id_}"))
                progress = progress_of(manager, id_)
        except PhoneError as error:
            if isinstance(error, EngineError) and error.status == 404:
                return ReadResult(None, {})
            tell_once(str(error))
            return ReadResult(id_, props)
        seen: dict[str, Any] = {"replicas": replicas}
        if progress.verdict:
            seen["undone"] = True
        if replicas == props["replicas"] and not progress.converged:
            # Not what was rolled out: so the plan says why, and the next `up` waits and tells.
            seen["spec_digest"] = explain(id_, progress, [])
        asked_for = {key: value for key, value in props.items() if key != "undone"}
        return ReadResult(id_, {**asked_for, **seen})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        changed = _olds["spec_digest"] != _news["spec_digest"]
        takes_back = changed and _news["takes_back"]
        _roll_out(_news, takes_back=takes_back, undone_seen=_olds.get("undone", False))
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


@dataclass(frozen=True, kw_only=True)
class RolloutArgs:
    """``service`` is Swarm's name for it; ``spec_digest`` changes when its spec does.

    ``parts`` are those of :func:`fingerprints.spec_parts`.
    ``replicas`` is ``None`` for a global service; ``grace_seconds`` is what its tasks are given to
    stop, ``start_seconds`` what they may take until they are healthy. ``takes_back``: an update
    that fails is undone.
    """

    service: str
    service_id: pulumi.Input[str]
    spec_digest: pulumi.Input[str]
    parts: Mapping[str, str]
    replicas: int | None
    grace_seconds: float
    start_seconds: float
    takes_back: bool
    access: Access

    @classmethod
    def of(
        cls,
        service: Service,
        *,
        name: str,
        service_id: pulumi.Input[str],
        digest: pulumi.Input[str],
        parts: Mapping[str, str],
        access: Access,
    ) -> RolloutArgs:
        """The arguments for a service of a compose file; ``name`` is Swarm's name for it."""
        check = service.healthcheck
        probes = (
            (check.retries or 3) * ((check.interval or 0) + (check.timeout or 0)) if check else 0
        )
        return cls(
            service=name,
            service_id=service_id,
            spec_digest=digest,
            parts=parts,
            replicas=service.replicas if service.mode == "replicated" else None,
            grace_seconds=service.stop_grace_period / SECOND,
            start_seconds=((check.start_period or 0) + probes) / SECOND if check else 0,
            # Who wrote what is to be done on a failure has decided.
            takes_back=service.update.failure_action in (None, "rollback"),
            access=access,
        )


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
                "parts": dict(args.parts),
                "replicas": -1 if args.replicas is None else args.replicas,
                "grace_seconds": args.grace_seconds,
                "start_seconds": args.start_seconds,
                "takes_back": args.takes_back,
                **args.access.to_inputs(),
            },
            opts,
        )


def _roll_out(props: dict[str, Any], *, takes_back: bool, undone_seen: bool = False) -> None:
    name = props["service"]
    with manager_of(props) as manager:
        resume(manager, name, as_seen=undone_seen, takes_back=takes_back)
        if props["replicas"] >= 0:
            _scale(manager, name, int(props["replicas"]))
        try:
            wait_converged(manager, name, props["start_seconds"])
        except PhoneError as error:
            undone = roll_back(manager, name) if takes_back else ""
            if undone:
                raise PhoneError(f"{error}\n{undone}") from None
            raise


def _replicas(service: dict[str, Any]) -> int:
    replicated = service["Spec"]["Mode"].get("Replicated")
    return -1 if replicated is None else replicated.get("Replicas", 1)


def _scale(manager: Engine, name: str, replicas: int) -> None:
    def change(spec: dict[str, Any]) -> None:
        spec["Mode"]["Replicated"]["Replicas"] = replicas

    update_spec(manager, f"/services/{name}", change)


def _drain(manager: Engine, name: str, grace_seconds: float) -> None:
    """Stops all tasks with the grace that the file asks for, and waits until they are gone."""

    def stop(spec: dict[str, Any]) -> None:
        if "Replicated" in spec["Mode"]:
            spec["Mode"]["Replicated"]["Replicas"] = 0
        else:
            placement = spec["TaskTemplate"].setdefault("Placement", {})
            placement["Constraints"] = [NOWHERE]

    def gone() -> bool:
        nodes = nodes_by_id(manager)
        # What ran on a phone that is down counts as running for as long as it is.
        down = {key for key, node in nodes.items() if node["Status"]["State"] == "down"}
        tasks = manager.get("/tasks", filters={"service": [name]})
        return not (
            any(
                task["Status"]["State"] in ALIVE and task.get("NodeID") not in down
                for task in tasks
            )
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
