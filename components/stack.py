"""One compose file on the swarm: networks, secrets, configs and services as docker resources."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import pulumi
import pulumi_docker as docker

from .compose import Content, Service, StackSpec
from .image import Image
from .leftovers import remove_leftover
from .managers import PHONE_LABEL
from .rollout import Rollout, RolloutArgs, keep_scale
from .service_args import Surroundings, service_args
from .swarm import Swarm


@dataclass(frozen=True, kw_only=True)
class StackArgs:
    """``secret_values`` are the lab's secrets in plain: a text that holds one is made secret.

    ``entry_phone`` publishes every port where ``routing`` is ``host``.
    """

    spec: StackSpec
    swarm: Swarm
    docker_provider: docker.Provider
    routing: str
    entry_phone: str
    secret_values: frozenset[str]


class Stack(pulumi.ComponentResource):
    """Ready when every service runs and is healthy, each after those it depends on."""

    def __init__(
        self, name: str, args: StackArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("cloudlet:index:Stack", name, None, opts)
        self._args = args
        networks = {key: self._network(f"{name}-{key}", key) for key in args.spec.networks}
        self._around = Surroundings(
            stack=args.spec.name,
            networks=networks,
            secrets={
                key: self._content("secrets", f"{name}-{key}-secret", content)
                for key, content in args.spec.secrets.items()
            },
            configs={
                key: self._content("configs", f"{name}-{key}-config", content)
                for key, content in args.spec.configs.items()
            },
            conceal=self._conceal,
        )
        rollouts: dict[str, Rollout] = {}
        for service in in_order(args.spec.services):
            after = [rollouts[needed] for needed in service.depends_on]
            rollouts[service.name] = self._service(name, routed(service, args), after)
        self.register_outputs({})

    def _options(self, kind: str, docker_name: str, **more: Any) -> pulumi.ResourceOptions:
        args = self._args
        hooks = remove_leftover(kind, docker_name, args.spec.name, args.swarm.access)
        hooks.after_update = more.pop("after_update", None)
        return pulumi.ResourceOptions(
            parent=self,
            provider=args.docker_provider,
            hooks=hooks,
            # Where the whole swarm goes, nothing in it needs a manager to be taken away first.
            deleted_with=args.swarm.init,
            **more,
        )

    def _network(self, name: str, key: str) -> pulumi.Input[str]:
        network = self._args.spec.networks[key]
        if network.external:
            invoke = pulumi.InvokeOptions(parent=self, provider=self._args.docker_provider)
            return docker.get_network_output(name=network.name, opts=invoke).id
        made = docker.Network(
            name,
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
            opts=self._options("networks", network.name),
        )
        return made.id

    def _content(self, kind: str, name: str, content: Content) -> tuple[pulumi.Input[str], str]:
        """A secret or config under a name that says what is in it: new content, new object.

        So that a change rolls its users to the new object before the old one goes.
        """
        full = content.name if content.pinned_name else f"{content.name}-{fingerprint(content)}"
        data = base64.b64encode(content.data or b"").decode()
        options = self._options(kind, full, delete_before_replace=False)
        made: docker.Secret | docker.ServiceConfig
        if kind == "secrets":
            made = docker.Secret(
                name,
                name=full,
                data=pulumi.Output.secret(data),
                labels=[
                    docker.SecretLabelArgs(label=label, value=self._conceal(value))
                    for label, value in sorted(content.labels.items())
                ],
                opts=options,
            )
        else:
            made = docker.ServiceConfig(
                name,
                name=full,
                # The provider knows no labels on configs.
                data=pulumi.Output.secret(data),
                opts=options,
            )
        return made.id, full

    def _service(self, name: str, service: Service, after: list[Rollout]) -> Rollout:
        args = self._args
        full = f"{args.spec.name}_{service.name}"
        replicas = service.replicas if service.mode == "replicated" else None
        contents = [
            *(self._around.secrets[item.source][1] for item in service.secrets),
            *(self._around.configs[item.source][1] for item in service.configs),
        ]
        image = Image(
            f"{name}-{service.name}-image",
            image=self._conceal(service.image),
            access=args.swarm.access,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[args.swarm]),
        )
        made = docker.Service(
            f"{name}-{service.name}",
            **service_args(service, image.reference, self._around),
            opts=self._options(
                "services",
                full,
                depends_on=after,
                after_update=keep_scale(full, replicas, args.swarm.access),
                ignore_changes=filled_in_elsewhere(service),
                # Swarm cannot change a service's mode in place.
                replace_on_changes=["mode.global"],
            ),
        )
        return Rollout(
            f"{name}-{service.name}-rollout",
            RolloutArgs(
                service=full,
                service_id=made.id,
                spec_digest=image.reference.apply(
                    lambda reference: spec_digest(replace(service, image=reference), contents)
                ),
                replicas=replicas,
                grace_seconds=service.stop_grace_period / 1e9,
                access=args.swarm.access,
            ),
            pulumi.ResourceOptions(parent=self, depends_on=[made, *after]),
        )

    def _conceal(self, text: str) -> pulumi.Input[str]:
        if any(value in text for value in self._args.secret_values if value):
            return pulumi.Output.secret(text)
        return text


def filled_in_elsewhere(service: Service) -> list[str]:
    """What a plan for a service leaves alone: Rollout scales, and Docker fills in platforms.

    Pulumi refuses a path into something that is not there, so each is named only where it is.
    """
    replicas = ["mode.replicated.replicas"] if service.mode == "replicated" else []
    return [*replicas, "taskSpec.placement.platforms"]


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


def routed(service: Service, args: StackArgs) -> Service:
    """The service as ``routing`` wants it.

    ``host``: without ip_vs there are neither virtual addresses nor a mesh, so names resolve to
    tasks and ports are those of the entry phone itself, where an update must stop first.
    """
    if args.routing != "host":
        return service
    changed = replace(service, endpoint_mode="dnsrr")
    if service.ports:
        changed = replace(
            changed,
            ports=tuple(replace(port, mode="host") for port in service.ports),
            update=replace(service.update, order="stop-first"),
            rollback=replace(service.rollback, order="stop-first"),
        )
        if service.mode == "replicated":
            constraint = f"node.labels.{PHONE_LABEL} == {args.entry_phone}"
            placement = replace(
                service.placement, constraints=(*service.placement.constraints, constraint)
            )
            changed = replace(changed, placement=placement)
    return changed


def fingerprint(content: Content) -> str:
    """Eight digits that change with the content and, being slow to make, do not give it away."""
    digest = hashlib.pbkdf2_hmac(
        "sha256", content.data or b"", content.name.encode(), iterations=100_000
    )
    return digest.hex()[:8]


def spec_digest(service: Service, contents: Iterable[str]) -> str:
    """Changes with anything of a service, and of its secrets and configs, but its replicas."""
    text = json.dumps([replace(service, replicas=0), *contents], sort_keys=True, default=_fields)
    return hashlib.pbkdf2_hmac("sha256", text.encode(), service.name.encode(), 10_000).hex()[:16]


def _fields(value: object) -> dict[str, Any]:
    """What ``json`` is given for a value of the model, maps of any kind among them."""
    return dict(cast("Mapping[str, Any]", value)) if isinstance(value, Mapping) else vars(value)
