"""The ``deploy`` section of a service: how many tasks, where, and how they are replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from .model import (
    Mode,
    Placement,
    Resources,
    RestartPolicy,
    UpdatePolicy,
)
from .node import Node
from .units import MILLISECOND, parse_cpus, parse_duration, parse_size

EndpointMode: TypeAlias = Literal["vip", "dnsrr"]
_ENDPOINT_MODES: tuple[EndpointMode, ...] = ("vip", "dnsrr")
_POLICY = {"parallelism", "delay", "failure_action", "monitor", "max_failure_ratio", "order"}
_SMALLEST_CPUS = MILLISECOND  # Swarm refuses less than a thousandth of a CPU …
_SMALLEST_MEMORY = 4 * 1024**2  # … and less than 4 MiB of memory.


@dataclass(frozen=True, kw_only=True)
class Deploy:
    """``restart`` is ``None`` where the section is silent, so that Compose's own key may speak."""

    mode: Mode
    replicas: int
    labels: Mapping[str, str]
    update: UpdatePolicy
    rollback: UpdatePolicy
    restart: RestartPolicy | None
    resources: Resources
    placement: Placement
    endpoint_mode: EndpointMode | None


def deploy(node: Node) -> Deploy:
    """The section with Swarm's own defaults filled in; a missing one is all defaults."""
    fields = node.fields(
        {
            "endpoint_mode",
            "labels",
            "mode",
            "placement",
            "replicas",
            "resources",
            "restart_policy",
            "rollback_config",
            "update_config",
        }
    )
    mode = _mode(fields["mode"]) if "mode" in fields else "replicated"
    if mode == "global" and "replicas" in fields:
        fields["replicas"].problem(
            "a global service runs once on every node; remove it, or write mode: replicated"
        )
    return Deploy(
        mode=mode,
        replicas=fields["replicas"].integer() if "replicas" in fields else 1,
        labels=fields["labels"].string_map() if "labels" in fields else {},
        update=_policy(fields["update_config"], "pause", "continue", "rollback")
        if "update_config" in fields
        else UpdatePolicy(),
        rollback=_policy(fields["rollback_config"], "pause", "continue")
        if "rollback_config" in fields
        else UpdatePolicy(),
        restart=_restart_policy(fields["restart_policy"]) if "restart_policy" in fields else None,
        resources=_resources(fields["resources"]) if "resources" in fields else Resources(),
        placement=_placement(fields["placement"]) if "placement" in fields else Placement(),
        endpoint_mode=_endpoint_mode(fields.get("endpoint_mode")),
    )


def duration(node: Node) -> int:
    """Nanoseconds of a duration that must be text, as Docker wants it."""
    if not node.is_text:
        node.problem(f"{node.shown} is not a duration; write a number with a unit, such as 30s")
        return 0
    try:
        return parse_duration(node.text())
    except ValueError as error:
        node.problem(f"{node.shown} is {error}")
        return 0


def restart(node: Node) -> RestartPolicy | None:
    """Compose's own ``restart``, which Swarm heeds where ``deploy.restart_policy`` is missing."""
    condition, _, attempts = node.text().partition(":")
    count = int(attempts) if attempts.isascii() and attempts.isdigit() and len(attempts) < 9 else 0
    if attempts and not count:
        condition = ""
    if condition in ("always", "unless-stopped") and not attempts:
        return RestartPolicy()
    if condition == "on-failure":
        return RestartPolicy(condition="on-failure", max_attempts=count)
    if node.value is False or condition == "no":
        node.report.warn(
            node.path,
            "Swarm restarts the task nevertheless; write deploy.restart_policy.condition: none",
        )
        return None
    node.problem(
        f'{node.shown} is unknown; write always, on-failure, on-failure:3, unless-stopped or "no"'
    )
    return None


def _mode(node: Node) -> Mode:
    if node.value in ("replicated-job", "global-job"):
        node.problem(
            "jobs cannot be made through the docker provider; write replicated with "
            "restart_policy.condition: none"
        )
        return "replicated"
    return node.choice("replicated", "global")


def _endpoint_mode(node: Node | None) -> EndpointMode | None:
    if node is None:
        return None
    mode: EndpointMode = node.choice(*_ENDPOINT_MODES)
    return mode


def _policy(node: Node, *actions: str) -> UpdatePolicy:
    fields = node.fields(_POLICY)
    default = UpdatePolicy()
    return UpdatePolicy(
        parallelism=fields["parallelism"].integer()
        if "parallelism" in fields
        else default.parallelism,
        delay=duration(fields["delay"]) if "delay" in fields else default.delay,
        failure_action=fields["failure_action"].choice(*actions)
        if "failure_action" in fields
        else default.failure_action,
        # Swarm takes 0 for "not given" and watches for its default of 5 s.
        monitor=(duration(fields["monitor"]) if "monitor" in fields else 0) or default.monitor,
        max_failure_ratio=_ratio(fields["max_failure_ratio"])
        if "max_failure_ratio" in fields
        else default.max_failure_ratio,
        order=fields["order"].choice("stop-first", "start-first")
        if "order" in fields
        else default.order,
    )


def _ratio(node: Node) -> float:
    """The docker provider reads one decimal back, and would plan a change for ever."""
    ratio = node.ratio()
    if ratio != round(ratio, 1):
        node.report.warn(
            node.path,
            f"the docker provider keeps one decimal of it, so it is {round(ratio, 1):g}",
        )
    return round(ratio, 1)


def _restart_policy(node: Node) -> RestartPolicy:
    fields = node.fields({"condition", "delay", "max_attempts", "window"})
    default = RestartPolicy()
    return RestartPolicy(
        condition=fields["condition"].choice("any", "on-failure", "none")
        if "condition" in fields
        else default.condition,
        delay=duration(fields["delay"]) if "delay" in fields else default.delay,
        max_attempts=fields["max_attempts"].integer() if "max_attempts" in fields else 0,
        window=duration(fields["window"]) if "window" in fields else 0,
    )


def _resources(node: Node) -> Resources:
    sides = node.fields({"limits", "reservations"})
    limits = (
        sides["limits"].fields(
            {"cpus", "memory"},
            refused={
                "pids": "cannot be set through the docker provider; remove it, or limit processes "
                "in the image"
            },
        )
        if "limits" in sides
        else {}
    )
    reserved = (
        sides["reservations"].fields(
            {"cpus", "memory", "generic_resources"},
            refused={"devices": "Swarm reserves no devices; write generic_resources"},
        )
        if "reservations" in sides
        else {}
    )
    return Resources(
        limit_nano_cpus=_cpus(limits["cpus"]) if "cpus" in limits else None,
        limit_memory=_memory(limits["memory"]) if "memory" in limits else None,
        reserve_nano_cpus=_cpus(reserved["cpus"]) if "cpus" in reserved else None,
        reserve_memory=_memory(reserved["memory"]) if "memory" in reserved else None,
        reserve_generic=_generic(reserved["generic_resources"])
        if "generic_resources" in reserved
        else (),
    )


def _cpus(node: Node) -> int:
    try:
        nano = parse_cpus(node.scalar())
    except ValueError as error:
        node.problem(f"{node.shown} is {error}")
        return 0
    if 0 < nano < _SMALLEST_CPUS:
        node.problem(f'{node.shown} is less than Swarm can give; write at least "0.001"')
    return nano


def _memory(node: Node) -> int:
    try:
        size = parse_size(node.scalar())
    except ValueError as error:
        node.problem(f"{node.shown} is {error}")
        return 0
    if 0 < size < _SMALLEST_MEMORY:
        node.problem(f"{node.shown} is less than Swarm can give; write at least 4M")
    return size


def _generic(node: Node) -> tuple[str, ...]:
    found: list[str] = []
    for item in node.items():
        spec = item.fields({"discrete_resource_spec"}).get("discrete_resource_spec")
        fields = spec.fields({"kind", "value"}) if spec else {}
        if "kind" not in fields or "value" not in fields:
            item.problem("must be discrete_resource_spec with kind and value")
            continue
        found.append(f"{fields['kind'].name()}={fields['value'].integer()}")
    return tuple(found)


def _placement(node: Node) -> Placement:
    fields = node.fields({"constraints", "preferences", "max_replicas_per_node"})
    constraints: list[str] = []
    for item in fields["constraints"].items() if "constraints" in fields else []:
        text = item.text()
        operators = [operator for operator in ("==", "!=") if operator in text]
        if not operators or not all(part.strip() for part in text.split(operators[0], 1)):
            item.problem(
                f"{item.shown} is not a constraint; write node.role == manager or the like"
            )
        constraints.append(text)
    spread: list[str] = []
    for item in fields["preferences"].items() if "preferences" in fields else []:
        by = item.fields({"spread"}).get("spread")
        if by is None:
            if not item.is_mapping:
                continue
            item.problem("must be spread: and a node's property, such as node.labels.shelf")
            continue
        spread.append(by.name())
    if len(spread) > 1:
        node.report.warn(
            fields["preferences"].path,
            "Swarm spreads by the first of them first, and the docker provider sends them in an "
            "order of its own",
        )
    return Placement(
        constraints=tuple(constraints),
        spread=tuple(spread),
        max_replicas_per_node=fields["max_replicas_per_node"].integer()
        if "max_replicas_per_node" in fields
        else 0,
    )
