"""One compose file on the swarm: networks, secrets, configs and services as docker resources."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pulumi
import pulumi_docker as docker

from .compatibility import Compatibility
from .compose import Content, Network, Service, StackSpec
from .external import External
from .images import image_lock
from .images.build_context import Context
from .images.image_lock import Lock
from .images.stack_images import Images
from .members.leftovers import remove_leftover
from .registry import Registry
from .rollout import Rollout, RolloutArgs
from .scale import Scale
from .services.fingerprints import content_name, network_mark, spec_digest, spec_parts
from .services.service_args import Surroundings, service_args
from .swarm import Swarm


@dataclass(frozen=True, kw_only=True)
class StackArgs:
    """``spec`` is as the lab's routing makes it (:func:`routing.routed`).

    ``secret_values`` are the lab's secrets in plain: a text that holds one is made secret.
    ``lock`` has the images whose digests are written down; the others are resolved. A service
    with a build has its context in ``contexts``, whose image goes into ``registry``.
    """

    spec: StackSpec
    swarm: Swarm
    docker_provider: docker.Provider
    secret_values: frozenset[str]
    lock: Lock = field(default_factory=dict[str, image_lock.Locked])
    registry: Registry | None = None
    contexts: Mapping[str, Context] = field(default_factory=dict[str, Context])


class Stack(pulumi.ComponentResource):
    """Ready when every service runs and is healthy, each after those it depends on.

    Nothing of it is touched before everything that it needs and does not make is found: external
    networks, secrets and configs, and images with a build for each phone that they may land on.
    """

    def __init__(
        self, name: str, args: StackArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("cloudlet:index:Stack", name, None, opts)
        self._args = args
        spec = args.spec
        images = Images(
            parent=self,
            stack=spec.name,
            swarm=args.swarm,
            lock=args.lock,
            registry=args.registry,
            contexts=args.contexts,
            conceal=self._conceal,
            secret_values=args.secret_values,
        )
        found = {key: images.of(f"{name}-{key}", each) for key, each in spec.services.items()}
        externals = self._externals(name)
        self._found: list[pulumi.Resource] = [
            *externals.values(),
            Compatibility(
                f"{name}-compatibility",
                stack=spec.name,
                services={
                    key: {
                        "image": self._conceal(service.image),
                        "platforms": found[key][1],
                        "constraints": list(service.placement.constraints),
                        "built": service.build is not None,
                    }
                    for key, service in spec.services.items()
                },
                nodes=args.swarm.nodes,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[args.swarm]),
            ),
        ]
        self._networks = {
            key: self._network(f"{name}-{key}", network)
            for key, network in spec.networks.items()
            if not network.external
        }
        self._around = Surroundings(
            stack=spec.name,
            networks={
                key: externals["networks", key].docker_id
                if network.external
                else self._networks[key].id
                for key, network in spec.networks.items()
            },
            secrets={
                key: (externals["secrets", key].docker_id, content.name)
                if content.external
                else self._secret(f"{name}-{key}-secret", content)
                for key, content in spec.secrets.items()
            },
            configs={
                key: (externals["configs", key].docker_id, content.name)
                if content.external
                else self._config(f"{name}-{key}-config", content)
                for key, content in spec.configs.items()
            },
            conceal=self._conceal,
        )
        rollouts: dict[str, Rollout] = {}
        for service in in_order(spec.services):
            full, reference = f"{name}-{service.name}", found[service.name][0]
            cached = images.cached(full, service, reference, self._found)
            after = [*cached, *(rollouts[needed] for needed in service.depends_on)]
            rollouts[service.name] = self._service(full, service, reference, after)
        self.register_outputs({})

    def _options(self, kind: str, docker_name: str, **more: Any) -> pulumi.ResourceOptions:
        args = self._args
        return pulumi.ResourceOptions(
            parent=self,
            provider=args.docker_provider,
            depends_on=[*self._found, *more.pop("after", [])],
            hooks=remove_leftover(kind, docker_name, args.spec.name, args.swarm.access),
            # Where the whole swarm goes, nothing in it needs a manager to be taken away first.
            deleted_with=args.swarm.init,
            **more,
        )

    def _externals(self, name: str) -> dict[tuple[str, str], External]:
        """What the stack uses and somebody else made, by kind and by its key in the file."""
        spec = self._args.spec
        kinds: dict[str, Mapping[str, Network | Content]] = {
            "networks": spec.networks,
            "secrets": spec.secrets,
            "configs": spec.configs,
        }
        return {
            (kind, key): External(
                f"{name}-{key}-external-{kind.removesuffix('s')}",
                kind=kind,
                object_name=item.name,
                key=f"stacks.{spec.name}: {kind}.{key}",
                access=self._args.swarm.access,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[self._args.swarm]),
            )
            for kind, items in kinds.items()
            for key, item in items.items()
            if item.external
        }

    def _network(self, name: str, network: Network) -> docker.Network:
        return docker.Network(
            f"{name}{network_mark(network)}",
            name=network.name,
            driver=network.driver,
            attachable=network.attachable,
            internal=network.internal,
            labels=[
                docker.NetworkLabelArgs(label=label, value=self._conceal(value))
                for label, value in sorted(network.labels.items())
            ],
            options={key: self._conceal(value) for key, value in network.options.items()} or None,
            ipam_configs=[docker.NetworkIpamConfigArgs(subnet=subnet) for subnet in network.subnets]
            or None,
            ipam_driver=network.ipam_driver,
            # Swarm adds an option and a gateway, which the provider would take for changes.
            opts=self._options("networks", network.name, ignore_changes=["options", "ipamConfigs"]),
        )

    def _secret(self, name: str, content: Content) -> tuple[pulumi.Input[str], str]:
        full = content_name(content)
        made = docker.Secret(
            name,
            name=full,
            data=_encoded(content),
            labels=[
                docker.SecretLabelArgs(label=label, value=self._conceal(value))
                for label, value in sorted(content.labels.items())
            ],
            opts=self._options("secrets", full, delete_before_replace=False),
        )
        return made.id, full

    def _config(self, name: str, content: Content) -> tuple[pulumi.Input[str], str]:
        full = content_name(content)
        made = docker.ServiceConfig(
            name,
            name=full,
            data=_encoded(content),
            labels=[
                docker.ServiceConfigLabelArgs(label=label, value=self._conceal(value))
                for label, value in sorted(content.labels.items())
            ],
            opts=self._options("configs", full, delete_before_replace=False),
        )
        return made.id, full

    def _service(
        self,
        name: str,
        service: Service,
        reference: pulumi.Input[str],
        after: Sequence[pulumi.Resource],
    ) -> Rollout:
        args = self._args
        full = f"{args.spec.name}_{service.name}"
        contents = [
            *(self._around.secrets[item.source][1] for item in service.secrets),
            *(self._around.configs[item.source][1] for item in service.configs),
        ]
        digest = pulumi.Output.from_input(reference).apply(
            lambda known: spec_digest(replace(service, image=known), contents)
        )
        replicas: pulumi.Input[int] = service.replicas
        if service.mode == "replicated":
            replicas = Scale(
                f"{name}-scale",
                service=full,
                replicas=service.replicas,
                spec_digest=digest,
                access=args.swarm.access,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[args.swarm]),
            ).replicas
        made = docker.Service(
            name,
            **service_args(service, reference, replicas, self._around),
            opts=self._options(
                "services",
                full,
                after=after,
                # Docker fills in platforms when it looks an image up.
                ignore_changes=["taskSpec.placement.platforms"],
                # Swarm cannot change a service's mode in place.
                replace_on_changes=["mode.global"],
            ),
        )
        return Rollout(
            f"{name}-rollout",
            RolloutArgs.of(
                service,
                name=full,
                service_id=made.id,
                digest=digest,
                parts=spec_parts(service, contents, args.secret_values),
                access=args.swarm.access,
            ),
            pulumi.ResourceOptions(parent=self, depends_on=[made, *after]),
        )

    def _conceal(self, text: str) -> pulumi.Input[str]:
        if any(value in text for value in self._args.secret_values if value):
            return pulumi.Output.secret(text)
        return text


def in_order(services: Mapping[str, Service]) -> Iterable[Service]:
    """Each service after those it depends on; the parser has refused circles."""
    done: set[str] = set()

    def visit(service: Service) -> Iterable[Service]:
        if service.name in done:
            return
        done.add(service.name)
        for needed in service.depends_on:
            yield from visit(services[needed])
        yield service

    for service in services.values():
        yield from visit(service)


def _encoded(content: Content) -> pulumi.Output[str]:
    return pulumi.Output.secret(base64.b64encode(content.data or b"").decode())
