"""The managers by which a swarm is reached, kept apart from those that the configuration names.

Everything that speaks to the swarm takes its managers from here. If it took them from the
configuration, each phone that becomes a manager or ceases to be one would show as a change of
every membership, service and image. So the record has some phones more than the managers, any of
which may be one later, and stands until it is nearly of no use.
Never rename this module: the state of every lab names it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, UpdateResult
from pulumi.output import Unknown

from .dynamic import Provider, tell_once
from .members.managers import also_ask

# One that answers is enough, and one may be off.
ENOUGH = 2


class KnownManagersProvider(Provider):
    """Inputs ``hosts``: managers and some other phones of the configuration; ``managers``: names
    of those that manage. Output ``hosts``: as recorded."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult("managers", dict(props))

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        also_ask(_olds["hosts"])
        worn = worn_out(_olds["hosts"], _news["hosts"], _news["managers"])
        if worn:
            tell_once(
                f"the swarm is spoken to by {', '.join(_news['managers'])} from now on: what says "
                "~managers only takes that up"
            )
        return DiffResult(changes=worn)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        hosts = renewed(_olds["hosts"], _news["hosts"])
        also_ask(hosts)
        return UpdateResult({**_news, "hosts": hosts})


class KnownManagers(Resource, module="cloudlet", name="KnownManagers"):
    """``hosts``: the properties of each one's :class:`ssh.Host`, with its ``address``."""

    hosts: pulumi.Output[list[dict[str, Any]]]

    def __init__(
        self,
        name: str,
        *,
        hosts: Sequence[pulumi.Input[dict[str, Any]]],
        managers: Sequence[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            KnownManagersProvider(),
            name,
            {"hosts": list(hosts), "managers": list(managers)},
            opts,
        )


def worn_out(
    recorded: Sequence[Mapping[str, Any]], configured: Sequence[Any], managers: Collection[str]
) -> bool:
    """Whether too few of the recorded phones are managers now, reached as recorded.

    A preview does not know a phone before its first contact. Then nothing is said to change, and
    the record stays known to the rest of the plan.
    """
    if any(isinstance(host, Unknown) for host in configured):
        return False
    standing = sum(host["name"] in managers and host in configured for host in recorded)
    return standing < min(ENOUGH, len(managers))


def renewed(
    recorded: Sequence[Mapping[str, Any]], configured: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """The phones of the configuration, then the others: until those are managers, these are."""
    names = {host["name"] for host in configured}
    return [*configured, *(host for host in recorded if host["name"] not in names)]
