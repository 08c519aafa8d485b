"""How many replicas the docker provider is to send with the next real change of a service.

Scaling is :mod:`.rollout`'s: the provider's own update would restart tasks. So the number that the
provider has must not follow the configuration, or each scaling would be an update; nor may it stay
as it was at the service's creation, or each update would first scale the service back. It is taken
up with whatever else changes.
Never rename this module: the state of every lab names it.
"""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, ReadResult, Resource, UpdateResult

from .dynamic import Provider, tell_once
from .members.managers import Access, manager_of
from .memo import once
from .remote.ssh import PhoneError

# A refresh reads all services within moments of each other.
LIST_SECONDS = 5.0


class ScaleProvider(Provider):
    """Inputs ``service`` (Swarm's name), ``replicas``, ``spec_digest``, ``managers``, ``swarm_id``.
    Output ``replicas``: those that the configuration had when ``spec_digest`` last changed."""

    updates = ("spec_digest",)

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(props["service"], dict(props))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(dict(_news))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """As it is in the swarm, where the provider's own refresh reads it as well."""
        try:
            found = once(("replicas", props["swarm_id"]), lambda: _replicas(props), LIST_SECONDS)
        except PhoneError as error:
            tell_once(str(error))
            return ReadResult(id_, props)
        return ReadResult(id_, {**props, "replicas": found.get(id_, props["replicas"])})


class Scale(Resource, module="cloudlet", name="Scale"):
    """``replicas``: what ``docker.Service`` is given."""

    replicas: pulumi.Output[int]

    def __init__(
        self,
        name: str,
        *,
        service: str,
        replicas: int,
        spec_digest: pulumi.Input[str],
        access: Access,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            ScaleProvider(),
            name,
            {
                "service": service,
                "replicas": replicas,
                "spec_digest": spec_digest,
                **access.to_inputs(),
            },
            opts,
        )


def _replicas(props: dict[str, Any]) -> dict[str, int]:
    with manager_of(props) as manager:
        return {
            service["Spec"]["Name"]: service["Spec"]["Mode"]["Replicated"].get("Replicas", 1)
            for service in manager.get("/services")
            if "Replicated" in service["Spec"]["Mode"]
        }
