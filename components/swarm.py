"""One swarm out of many phones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from .known_managers import KnownManagers
from .members.managers import Access
from .membership import Membership, MembershipArgs
from .phone import Phone
from .services.placement import ARCHITECTURE_LABEL, PHONE_LABEL
from .swarm_init import SwarmInit, SwarmSettings

# So many phones, managers first, are known as ways to the swarm: a worker of today may manage it
# when those of today are gone.
REACH = 5


@dataclass(frozen=True, kw_only=True)
class Member:
    """A phone and its place: ``role`` is manager or worker, ``labels`` are the owner's.

    ``availability`` is active, pause (no new tasks) or drain (no tasks).
    """

    phone: Phone
    role: str
    labels: Mapping[str, str]
    availability: str = "active"


@dataclass(frozen=True, kw_only=True)
class SwarmArgs:
    """``members`` by phone name, the phone on which a swarm is initialised first among managers."""

    members: Mapping[str, Member]
    settings: SwarmSettings


class Swarm(pulumi.ComponentResource):
    """The swarm and each phone's membership of it.

    ``worker_token`` and ``manager_token`` are secret. What depends on the component starts when
    every phone is a member, and is gone before the first one leaves.
    """

    access: Access
    init: SwarmInit
    """What lives in the swarm is gone when this is: see ``deleted_with`` of Pulumi's options."""
    worker_token: pulumi.Output[str]
    manager_token: pulumi.Output[str]
    nodes: list[dict[str, pulumi.Input[Any]]]
    """Each phone's properties of a :class:`placement.Node`."""
    hosts: dict[str, pulumi.Output[dict[str, Any]]]
    """How each phone is reached."""

    def __init__(
        self, name: str, args: SwarmArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("cloudlet:index:Swarm", name, None, opts)
        self._leaders = [key for key, member in args.members.items() if member.role == "manager"]
        leading = [args.members[key].phone for key in self._leaders]
        others = [member.phone for member in args.members.values() if member.role != "manager"]
        reach = [*leading, *others[: max(0, REACH - len(leading))]]
        known = KnownManagers(
            f"{name}-managers",
            hosts=[
                pulumi.Output.all(phone.host, phone.address).apply(
                    lambda known: {**known[0], "address": known[1]}
                )
                for phone in reach
            ],
            managers=self._leaders,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.init = SwarmInit(
            f"{name}-init",
            managers=known.hosts,
            leaders=self._leaders,
            settings=args.settings,
            opts=pulumi.ResourceOptions(parent=self, depends_on=leading),
        )
        self.access = Access(swarm_id=self.init.id, managers=known.hosts)
        self.worker_token = pulumi.Output.secret(self.init.worker_token)
        self.manager_token = pulumi.Output.secret(self.init.manager_token)

        self.nodes = [
            {
                "name": key,
                "role": member.role,
                "labels": dict(member.labels),
                "availability": member.availability,
                "architecture": member.phone.facts["architecture"],
            }
            for key, member in args.members.items()
        ]

        self.hosts = {key: member.phone.host for key, member in args.members.items()}

        # One manager after the other: each changes the majority that the next one must find.
        chain: list[pulumi.Resource] = [self.init]
        for phone_name, member in args.members.items():
            if member.role == "manager":
                chain = [self._membership(name, phone_name, member, chain)]
        for phone_name, member in args.members.items():
            if member.role != "manager":
                self._membership(name, phone_name, member, chain)
        self.register_outputs({"swarm_id": self.init.id})

    def _membership(
        self, name: str, phone_name: str, member: Member, after: list[pulumi.Resource]
    ) -> Membership:
        labels = pulumi.Output.all(member.phone.facts).apply(
            lambda known: {
                **member.labels,
                PHONE_LABEL: phone_name,
                ARCHITECTURE_LABEL: known[0]["architecture"],
            }
        )
        return Membership(
            f"{name}-{phone_name}",
            MembershipArgs(
                phone=member.phone.host,
                address=member.phone.address,
                access=self.access,
                role=member.role,
                labels=labels,
                availability=member.availability,
                leaders=self._leaders,
            ),
            pulumi.ResourceOptions(parent=self, depends_on=[member.phone, *after]),
        )
