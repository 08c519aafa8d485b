"""On which phones Swarm may put a service, as far as the configuration tells. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from components.compose import Placement, Service, StackSpec

# Labels that every node carries beside its owner's.
PHONE_LABEL = "cloudlet.phone"
ARCHITECTURE_LABEL = "cloudlet.arch"
_NODE_LABEL = "node.labels."


@dataclass(frozen=True, kw_only=True)
class Node:
    """A phone as constraints see it. ``architecture`` is its Docker's word (``aarch64``,
    ``armv7l``, ``x86_64``), empty before the first contact; ``labels`` are the owner's."""

    name: str
    role: str
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    availability: str = "active"
    architecture: str = ""


def candidates(placement: Placement, nodes: Iterable[Node]) -> list[Node] | None:
    """The nodes on which the scheduler may put a task, drained ones left out.

    ``None`` where the constraints ask for something that only the phones know: a hostname, a node
    id, a label of the engine, an architecture before the first contact.
    """
    found: list[Node] = []
    for node in nodes:
        fits = [_fits(node, constraint) for constraint in placement.constraints]
        if False in fits or node.availability == "drain":
            continue
        if None in fits:
            return None
        found.append(node)
    return found


def _fits(node: Node, constraint: str) -> bool | None:
    """As Swarm compares: without regard to case, a label that is missing being empty."""
    equal = "!=" not in constraint
    key, _, wanted = (part.strip() for part in constraint.partition("==" if equal else "!="))
    known = {
        "node.role": node.role,
        "node.platform.os": "linux",
        "node.platform.arch": node.architecture or None,
        _NODE_LABEL + PHONE_LABEL: node.name,
        _NODE_LABEL + ARCHITECTURE_LABEL: node.architecture or None,
    }
    value = known.get(key)
    if key not in known and key.startswith(_NODE_LABEL):
        value = node.labels.get(key.removeprefix(_NODE_LABEL), "")
    if value is None:
        return None
    return (value.casefold() == wanted.casefold()) is equal


def warnings(spec: StackSpec, nodes: Sequence[Node]) -> list[str]:
    """What will surprise the owner of a lab, a sentence each: data left behind on another phone,
    a service that no phone will take. ``spec`` is as the lab's routing makes it."""
    return [
        warning
        for service in spec.services.values()
        for warning in _warnings(f"stacks.{spec.name}: services.{service.name}", service, nodes)
    ]


def _warnings(place: str, service: Service, nodes: Sequence[Node]) -> Iterable[str]:
    found = candidates(service.placement, nodes)
    if found is None:
        return
    names = [node.name for node in found]
    everywhere = service.mode == "global"
    if not names and (everywhere or service.replicas):
        yield (
            f"{place}: no phone meets its constraints "
            f"({', '.join(service.placement.constraints) or 'all are drained'}), so it will not run"
        )
    # A volume of another driver than Docker's own may be on the network.
    volumes = dict.fromkeys(
        mount.source
        for mount in service.mounts
        if mount.type == "volume" and mount.source and mount.volume_driver in (None, "", "local")
    )
    if len(names) > 1 and volumes and not everywhere:
        yield (
            f"{place}: its volume {', '.join(volumes)} stays on the phone where it was made, and "
            f"the service may move to another one of {', '.join(names)}, where it finds an empty "
            "one; pin it with deploy.placement.constraints: "
            f"[node.labels.{PHONE_LABEL} == {names[0]}]"
        )
