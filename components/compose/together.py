"""What no compose file can see for itself: what two stacks of one lab would fight over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .model import StackSpec
from .names import NAMESPACE_LABEL


def conflicts(stacks: Mapping[str, StackSpec]) -> list[str]:
    """One line for each name or port that a stack takes although a stack before it has it."""
    return [*_names(stacks), *_ports(stacks)]


def _names(stacks: Mapping[str, StackSpec]) -> Iterator[str]:
    """``b-c`` of the stack ``a`` and ``c`` of ``a-b`` are both ``a-b-c`` to Pulumi.

    Swarm's names are joined with ``_`` instead, and a volume that two stacks take for their own
    would mix their data.
    """
    owners: dict[tuple[str, str, str], str] = {}
    for stack, spec in stacks.items():
        for kind, key, in_swarm in _made(spec):
            mine = f"the {kind} {key}"
            for namespace, name in (("Swarm", in_swarm), ("Pulumi", f"{stack}-{key}")):
                theirs = f"{mine} of the stack {stack}"
                other = owners.setdefault((namespace, kind, name), theirs)
                if other != theirs:
                    yield (
                        f"stacks.{stack}: {mine} would be called {name} in {namespace}, as "
                        f"{other} is; rename one of the two"
                    )
                    break


def _made(spec: StackSpec) -> Iterator[tuple[str, str, str]]:
    """The kind, the key in the file and Swarm's name of each thing that the stack makes."""
    for key in spec.services:
        yield "service", key, f"{spec.name}_{key}"
    for key, network in spec.networks.items():
        if not network.external:
            yield "network", key, network.name
    for kind, contents in (("secret", spec.secrets), ("config", spec.configs)):
        for key, content in contents.items():
            if not content.external:
                yield kind, key, content.name
    prefix = f"{spec.name}_"
    own = {
        mount.source
        for service in spec.services.values()
        for mount in service.mounts
        # A name that the file chose itself may be meant to be shared.
        if NAMESPACE_LABEL in mount.volume_labels and mount.source.startswith(prefix)
    }
    for name in sorted(own):
        yield "volume", name.removeprefix(prefix), name


def _ports(stacks: Mapping[str, StackSpec]) -> Iterator[str]:
    owners: dict[tuple[int, str], tuple[str, str]] = {}
    for stack, spec in stacks.items():
        for service in spec.services.values():
            for port in service.ports:
                if port.published is None:
                    continue
                mine = (stack, f"{stack}_{service.name}")
                other = owners.setdefault((port.published, port.protocol), mine)
                if other[0] != stack:
                    yield (
                        f"stacks.{stack}: {mine[1]} publishes port {port.published}, which "
                        f"{other[1]} publishes already; publish another"
                    )
