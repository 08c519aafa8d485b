"""Whether a stack's images have builds for the phones, asked before anything of it is touched.

A check and nothing else: it is made anew in every preview and every `up`, as far as the images'
platforms and the phones' architectures are known by then, and never shows as a change.
Never rename this module: the state of every lab names it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, Resource
from pulumi.output import Unknown

from .compose import Placement
from .dynamic import Provider
from .images.architecture import misfits
from .remote.ssh import PhoneError
from .services.placement import Node


class CompatibilityProvider(Provider):
    """Inputs ``stack``; ``services``: by name ``image``, ``platforms``, ``constraints`` and
    whether it is ``built``; ``nodes``: properties of :class:`placement.Node`."""

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        if lines := problems(news):
            # Before a CheckFailure Pulumi would put which resource "has a problem".
            raise PhoneError("\n".join(lines))
        return CheckResult(news, [])

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(props["stack"], dict(props))


class Compatibility(Resource, module="cloudlet", name="Compatibility"):
    """What depends on it is touched only if every image can run wherever its service may land."""

    def __init__(
        self,
        name: str,
        *,
        stack: str,
        services: Mapping[str, Mapping[str, pulumi.Input[Any]]],
        nodes: Sequence[Mapping[str, pulumi.Input[Any]]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            CompatibilityProvider(),
            name,
            {
                "stack": stack,
                "services": {key: dict(service) for key, service in services.items()},
                "nodes": [dict(node) for node in nodes],
            },
            opts,
        )


def problems(props: Mapping[str, Any]) -> list[str]:
    """A line for each service whose image lacks a build; what is not known yet is left out."""
    services, nodes = props["services"], props["nodes"]
    if isinstance(services, Unknown) or isinstance(nodes, Unknown):
        return []
    known = [
        Node(**{key: value for key, value in node.items() if not isinstance(value, Unknown)})
        for node in nodes
        if not isinstance(node, Unknown)
    ]
    found: list[str] = []
    for name, service in services.items():
        platforms = service.get("platforms")
        if isinstance(platforms, Unknown) or not platforms:
            continue
        placement = Placement(constraints=tuple(service["constraints"]))
        reason = misfits(
            service["image"], platforms, placement, known, built=service.get("built", False)
        )
        if reason:
            found.append(f"stacks.{props['stack']}: services.{name}: {reason}")
    return found
