"""The images of one stack: looked up, or built; and in the lab's cache before the phones ask."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.built_image import BuiltImage, BuiltImageArgs
from components.cached_image import CachedImage
from components.compose import Build, Service
from components.delivered_image import DeliveredImage
from components.image import Image
from components.registry import Registry
from components.services.placement import Node, candidates
from components.services.service_args import Conceal
from components.swarm import Swarm

from . import image_lock
from .architecture import platform_of, to_build
from .build_context import Context
from .build_secrets import held
from .image_lock import Lock
from .image_names import familiar, registry_of
from .registry_place import repository


@dataclass(frozen=True, kw_only=True)
class Images:
    """Makes the images' resources, all of them parts of ``parent``.

    ``lock`` has the images whose digests are written down. ``contexts`` has what services are
    built from, which goes into ``registry``. ``conceal`` marks a text secret if it is one;
    ``secret_values`` are the lab's secrets, which no builder is to show.
    """

    parent: pulumi.Resource
    stack: str
    swarm: Swarm
    lock: Lock
    registry: Registry | None
    contexts: Mapping[str, Context]
    conceal: Conceal
    secret_values: frozenset[str]

    def of(self, name: str, service: Service) -> tuple[pulumi.Input[str], pulumi.Input[list[str]]]:
        """The reference that the service is given, and the image's platforms."""
        if service.build is not None:
            # Known before it is built, so that a phone without a build stops it from being made.
            platforms = self._platforms(service, service.build)
            return self._built(name, service, service.build, platforms).reference, platforms
        locked = image_lock.find(self.lock, service.image)
        if locked is not None:
            return f"{familiar(service.image)}@{locked.digest}", list(locked.platforms)
        image = Image(
            f"{name}-image",
            image=self.conceal(service.image),
            key=f"stacks.{self.stack}: services.{service.name}.image",
            access=self.swarm.access,
            opts=pulumi.ResourceOptions(parent=self.parent, depends_on=[self.swarm]),
        )
        return image.reference, image.platforms

    def cached(
        self,
        name: str,
        service: Service,
        reference: pulumi.Input[str],
        after: Sequence[pulumi.Resource],
    ) -> list[pulumi.Resource]:
        """What the service waits for, so that its phones need not all fetch the same."""
        registry = self.registry
        if registry is None or service.build is not None:
            return []
        opts = pulumi.ResourceOptions(parent=self.parent, depends_on=[registry, *after])
        if not (elsewhere := registry_of(service.image)):
            return [
                CachedImage(
                    f"{name}-cached",
                    reference=reference,
                    platforms=self._platforms(service, Build(context=".")),
                    registry=registry,
                    opts=opts,
                )
            ]
        alone = service.mode == "replicated" and service.replicas < 2
        # Each phone's own is another one, and the lab's own needs no way around.
        if alone or elsewhere.partition(":")[0] in ("localhost", registry.place.address):
            return []
        return [
            DeliveredImage(
                f"{name}-delivered",
                reference=reference,
                phones=self._phones(service),
                registry=registry,
                opts=opts,
            )
        ]

    def _phones(self, service: Service) -> pulumi.Output[list[dict[str, Any]]]:
        """Those that may run the service, where at least half of them will."""

        def chosen(nodes: list[dict[str, Any]], hosts: dict[str, Any]) -> list[dict[str, Any]]:
            where = candidates(service.placement, [Node(**node) for node in nodes]) or []
            if service.mode == "replicated" and 2 * service.replicas < len(where):
                return []
            return [
                {**hosts[node.name], "platform": platform_of(node.architecture)} for node in where
            ]

        known: pulumi.Output[Any] = pulumi.Output.all(self.swarm.nodes, self.swarm.hosts)
        return known.apply(lambda all_: chosen(all_[0], all_[1]))

    def _built(
        self, name: str, service: Service, build: Build, platforms: pulumi.Input[list[str]]
    ) -> BuiltImage:
        assert self.registry is not None
        content = {key: each.data or b"" for key, each in build.secrets.items()}
        secrets = {
            key: pulumi.Output.secret(base64.b64encode(data).decode())
            for key, data in content.items()
        }
        hidden = [
            *held(build.args.values(), self.secret_values),
            *(data.decode(errors="replace") for data in content.values()),
        ]
        return BuiltImage(
            f"{name}-build",
            BuiltImageArgs(
                stack=self.stack,
                service=service.name,
                repository=repository(self.stack, service.name),
                context=self.contexts[service.name],
                target=build.target,
                args={key: self.conceal(value) for key, value in build.args.items()},
                secrets=secrets,
                hidden=pulumi.Output.secret(hidden) if hidden else [],
                platforms=platforms,
                registry=self.registry,
                phones=list(self.swarm.hosts.values()),
            ),
            pulumi.ResourceOptions(
                parent=self.parent, depends_on=[self.registry], deleted_with=self.registry
            ),
        )

    def _platforms(self, service: Service, build: Build) -> pulumi.Input[list[str]]:
        def chosen(nodes: list[dict[str, Any]]) -> list[str]:
            known = [Node(**node) for node in nodes]
            platforms, idle = to_build(build, service.placement, known)
            if idle:
                pulumi.warn(
                    f"stacks.{self.stack}: services.{service.name}.build.platforms: no phone of "
                    f"the lab runs {', '.join(idle)}; without it, `up` builds less"
                )
            return platforms

        decided = pulumi.Output.from_input(self.swarm.nodes).apply(chosen)
        # What the file says is known before any phone is.
        return list(build.platforms) or decided
