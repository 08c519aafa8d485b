"""What a phone is, as a resource that ``pulumi refresh`` reads anew."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, ReadResult, Resource, UpdateResult

from .dynamic import Provider
from .phones.survey import recent, survey
from .remote.ssh import Host, PhoneError

# They change by themselves: read anew they would fill every plan after a refresh. `make status` has
# them as they are now.
VARYING = ("free_disk_mb", "battery_percent", "battery_decidegrees")


class FactsProvider(Provider):
    """Input ``phone``. Output ``facts``: names and values as ``survey.sh`` prints them."""

    updates = ("phone",)

    def create(self, props: dict[str, Any]) -> CreateResult:
        host = Host.from_inputs(props["phone"])
        return CreateResult(host.name, {**props, "facts": _facts(host)})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        seen = recent(Host.from_inputs(props["phone"]))
        was: dict[str, str] = props["facts"]
        told = dict(seen.facts) if seen else dict[str, str]()
        # What is not told, because the phone or its Docker is off, is as it was.
        facts = {**was, **told, **{key: was[key] for key in VARYING if key in was}}
        return ReadResult(id_, {**props, "facts": facts})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        return UpdateResult({**_news, "facts": _facts(Host.from_inputs(_news["phone"]))})


class Facts(Resource, module="cloudlet", name="Facts"):
    """``facts``: architecture, docker_version, model, kernel, os, memory_mb, free_disk_mb, and
    battery_percent and battery_decidegrees where there is a battery. All values are text; those in
    :data:`VARYING` are of the last `up` that read the phone."""

    facts: pulumi.Output[dict[str, str]]

    def __init__(
        self,
        name: str,
        *,
        phone: pulumi.Input[dict[str, Any]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(FactsProvider(), name, {"phone": phone, "facts": None}, opts)


def _facts(host: Host) -> dict[str, str]:
    facts = survey(host).facts
    if "architecture" not in facts:
        raise PhoneError(f"{host.name}: Docker gives no answer; what does its log say?")
    return dict(facts)
