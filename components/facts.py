"""What a phone is, as a resource that ``pulumi refresh`` reads anew."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, ReadResult, Resource, UpdateResult

from . import shell
from .dynamic import Provider, run_script, tell
from .ssh import Host, PhoneError, connect


class FactsProvider(Provider):
    """Input ``phone``. Output ``facts``: names and values as ``facts.sh`` prints them."""

    updates = ("phone",)

    def create(self, props: dict[str, Any]) -> CreateResult:
        host = Host.from_inputs(props["phone"])
        return CreateResult(host.name, {**props, "facts": _survey(host)})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        host = Host.from_inputs(props["phone"])
        try:
            facts = _survey(host)
        except PhoneError as error:
            # A phone that is off stays in the state: it is a member until somebody removes it.
            tell(str(error))
            facts = props["facts"]
        return ReadResult(id_, {**props, "facts": facts})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        return UpdateResult({**_news, "facts": _survey(Host.from_inputs(_news["phone"]))})


class Facts(Resource, module="cloudlet", name="Facts"):
    """``facts``: architecture, docker_version, model, kernel, os, memory_mb, free_disk_mb, and
    battery_percent and battery_decidegrees where there is a battery. All values are text."""

    facts: pulumi.Output[dict[str, str]]

    def __init__(
        self,
        name: str,
        *,
        phone: pulumi.Input[dict[str, Any]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(FactsProvider(), name, {"phone": phone, "facts": None}, opts)


def _survey(host: Host) -> dict[str, str]:
    with connect(host) as session:
        return shell.parse_facts(run_script(session, "facts.sh", root=False))
