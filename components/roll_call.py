"""Every phone answers, lets us in and can be made ready, before the first one is touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, UpdateResult

from .docker_config import parse_file
from .dynamic import Provider
from .phones import access
from .remote.ssh import Host, PhoneError, connect

PARALLEL = 16


class RollCallProvider(Provider):
    """Inputs ``phones`` (hosts' properties by name) and ``password`` (secret, may be empty)."""

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        # A phone that is gone from the configuration has nobody to call.
        return DiffResult(changes=bool(_new(_olds["phones"], _news["phones"])))

    def create(self, props: dict[str, Any]) -> CreateResult:
        _call(props["phones"], props["password"])
        return CreateResult("roll-call", dict(props))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        # A phone that was here before may be off: that must not keep a new one out.
        _call(_new(_olds["phones"], _news["phones"]), _news["password"])
        return UpdateResult(dict(_news))


class RollCall(Resource, module="cloudlet", name="RollCall"):
    """Fails with one line for each phone that cannot be made ready, all of them at once."""

    def __init__(
        self,
        name: str,
        *,
        hosts: Sequence[Host],
        password: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            RollCallProvider(),
            name,
            {"phones": {host.name: host.to_inputs() for host in hosts}, "password": password},
            opts,
        )


def _new(olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, Any]:
    """The phones to call. One whose host key alone was written down since is the one it was; should
    it be another's key, its contact says so."""
    return {
        name: phone for name, phone in news.items() if _unpinned(phone) != _unpinned(olds.get(name))
    }


def _unpinned(phone: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    return phone and {**phone, "host_key": None}


def _call(phones: Mapping[str, dict[str, Any]], password: str) -> None:
    hosts = [Host.from_inputs(phone) for phone in phones.values()]
    with ThreadPoolExecutor(PARALLEL) as pool:
        answers = pool.map(_problem, hosts, [password] * len(hosts))
        problems = [problem for problem in answers if problem]
    if problems:
        raise PhoneError("\n".join(problems))


def _problem(host: Host, password: str) -> str | None:
    """What keeps this phone from being made ready; nothing is changed on it."""
    try:
        with connect(host, password or None) as session:
            access.check(session, password)
            parse_file(session, session.run("cat /etc/docker/daemon.json 2>/dev/null").stdout)
    except PhoneError as error:
        return str(error)
    return None
