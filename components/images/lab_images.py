"""What a lab's configuration says of images: where its registry is, what its stacks build."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from components import compose, config
from components.compose import StackSpec
from components.paths import portable

from . import build_context
from .build_context import Context
from .registry_place import PORTS, RegistryPlace


def registry_place(lab: config.Lab) -> RegistryPlace | None:
    """Where the lab's registry is, if it has one."""
    if lab.registry is None:
        return None
    address = lab.phones[lab.registry.phone].address
    return RegistryPlace(phone=lab.registry.phone, address=address, port=lab.registry.port)


def ports(lab: config.Lab) -> range:
    """Those of the lab's registry; none where it has no registry."""
    return range(lab.registry.port, lab.registry.port + PORTS) if lab.registry else range(0)


def taken(lab: config.Lab, spec: StackSpec) -> list[str]:
    """A line for each port of a stack that is the registry's."""
    mine = ports(lab)
    return [
        f"stacks.{spec.name}: services.{service.name}: port {port.published} is the registry's, "
        f"which takes {mine[0]} to {mine[-1]}; publish another, or give registry.port another"
        for service in spec.services.values()
        for port in service.ports
        if port.published in mine and port.protocol == "tcp"
    ]


def contexts(
    lab: config.Lab, stacks: Mapping[str, StackSpec], root: Path
) -> dict[str, dict[str, Context]]:
    """What the services are built from.

    Raises:
        ComposeError: with one line for each service that cannot be built from anything.
    """
    found: dict[str, dict[str, Context]] = {}
    problems: list[str] = []
    for name, spec in stacks.items():
        first = lab.stacks[name].files[0]
        for key, service in spec.services.items():
            if service.build is None:
                continue
            try:
                context = build_context.find(service.build, first.parent)
            except build_context.ContextError as error:
                problems.append(f"{portable(first, root)}: services.{key}.build: {error}")
                continue
            found.setdefault(name, {})[key] = replace(
                context,
                folder=Path(portable(context.folder, root)),
                dockerfile=Path(portable(context.dockerfile, root)),
                ignore=context.ignore and Path(portable(context.ignore, root)),
            )
    if problems:
        raise compose.ComposeError(tuple(problems))
    return found


def pulled(stacks: Mapping[str, StackSpec]) -> set[str]:
    """The images that come from a registry of somebody's."""
    return {
        service.image
        for spec in stacks.values()
        for service in spec.services.values()
        if service.build is None
    }
