"""A network, secret or config that somebody else made, found by its name in the swarm.

Never rename this module: the state of every lab names it.
"""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, ReadResult, Resource

from .dynamic import Provider, tell
from .members.managers import Access, manager_of
from .remote.engine_api import Engine
from .remote.ssh import PhoneError

_HOW = {
    "networks": "docker network create --driver overlay",
    "secrets": "docker secret create",
    "configs": "docker config create",
}


class ExternalProvider(Provider):
    """Inputs ``kind`` (networks, secrets or configs), ``object`` (its name in the swarm), ``key``
    (its place in the stack), ``managers``, ``swarm_id``. Output ``docker_id``."""

    replaces = ("kind", "object")

    def create(self, props: dict[str, Any]) -> CreateResult:
        with manager_of(props) as manager:
            found = look_up(manager, props["kind"], props["object"])
            if found is None:
                kind = props["kind"].removesuffix("s")
                raise PhoneError(
                    f"{props['key']} is external, and the swarm has no {kind} called "
                    f"{props['object']}; make it ({_HOW[props['kind']]}), or correct the name"
                )
        return CreateResult(props["object"], {**props, "docker_id": found})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        try:
            with manager_of(props) as manager:
                found = look_up(manager, props["kind"], props["object"])
        except PhoneError as error:
            tell(str(error))
            return ReadResult(id_, props)
        if found is None:
            return ReadResult(None, {})
        return ReadResult(id_, {**props, "docker_id": found})


class External(Resource, module="cloudlet", name="External"):
    """``docker_id``: Docker's id of it. It is never changed or removed."""

    docker_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        kind: str,
        object_name: str,
        key: str,
        access: Access,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            ExternalProvider(),
            name,
            {
                "kind": kind,
                "object": object_name,
                "key": key,
                **access.to_inputs(),
                "docker_id": None,
            },
            opts,
        )


def look_up(manager: Engine, kind: str, name: str) -> str | None:
    """The id of what is called exactly ``name``, if the swarm has it.

    Docker's filter also finds names that contain this one.
    """
    for item in manager.get(f"/{kind}", filters={"name": [name]}):
        if (item.get("Name") or item.get("Spec", {}).get("Name")) == name:
            if kind == "networks" and item.get("Scope") != "swarm":
                continue
            return item.get("ID") or item["Id"]
    return None
