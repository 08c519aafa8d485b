"""The swarm itself as a resource: found on a manager or initialised on the first one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, ReadResult, Resource, UpdateResult

from .dynamic import Provider, tell
from .engine_api import engine
from .managers import any_manager, cluster_id, swarm_state
from .ssh import Host, PhoneError

LISTEN = "0.0.0.0:2377"
# The label by which a swarm is known as made here: another one must be neither used nor ended.
OURS = "cloudlet.swarm"


@dataclass(frozen=True, kw_only=True)
class SwarmSettings:
    """``address_pool`` in CIDR form; periods in nanoseconds, as Docker has them."""

    address_pool: str
    address_pool_mask: int
    certificate_expiry: int
    heartbeat: int

    def to_inputs(self) -> dict[str, Any]:
        return {
            "address_pool": self.address_pool,
            "address_pool_mask": self.address_pool_mask,
            # Nanoseconds of a year do not survive as JSON numbers everywhere; text does.
            "certificate_expiry": str(self.certificate_expiry),
            "heartbeat": str(self.heartbeat),
        }


class SwarmInitProvider(Provider):
    """Inputs ``managers`` (hosts, each with its ``address``) and ``settings``."""

    updates = ("managers", "settings")

    def create(self, props: dict[str, Any]) -> CreateResult:
        hosts = _hosts(props)
        found = _existing(hosts)
        if found:
            tell(f"{hosts[0].name}: using the swarm {found} that is already there")
        swarm_id = found or _initialise(
            hosts[0], props["managers"][0]["address"], props["settings"]
        )
        return CreateResult(swarm_id, {**props, **_tokens(hosts, swarm_id)})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        try:
            return ReadResult(id_, {**props, **_tokens(_hosts(props), id_)})
        except PhoneError as error:
            tell(str(error))
            return ReadResult(id_, props)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        hosts = _hosts(_news)
        for key in ("address_pool", "address_pool_mask"):
            if _news["settings"][key] != _olds["settings"][key]:
                raise PhoneError(
                    "swarm.addressPool and swarm.addressPoolMask are set when a swarm is made and "
                    f"cannot change after; put back {_olds['settings'][key]}, or destroy and up"
                )
        with any_manager(hosts, _id) as client:
            swarm = client.get("/swarm")
            spec = {**swarm["Spec"], **_spec(_news["settings"], swarm["Spec"])}
            client.post("/swarm/update", spec, version=swarm["Version"]["Index"])
        return UpdateResult({**_news, **_tokens(hosts, _id)})

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        for host in _hosts(_props):
            try:
                with engine(host) as client:
                    state = swarm_state(client)
                    # Without a majority a manager does not tell which swarm it is in.
                    if state["ControlAvailable"] and cluster_id(state) in (_id, ""):
                        client.post("/swarm/leave", force=True)
            except PhoneError as error:
                tell(
                    f"{error}\n{host.name}: when it is back, run `docker swarm leave --force` on it"
                )


class SwarmInit(Resource, module="cloudlet", name="SwarmInit"):
    """``worker_token`` and ``manager_token`` are secret; the resource's id is the swarm's."""

    worker_token: pulumi.Output[str]
    manager_token: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        managers: Sequence[pulumi.Input[dict[str, Any]]],
        settings: SwarmSettings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            SwarmInitProvider(),
            name,
            {
                "managers": list(managers),
                "settings": settings.to_inputs(),
                "worker_token": None,
                "manager_token": None,
            },
            pulumi.ResourceOptions.merge(
                opts,
                pulumi.ResourceOptions(additional_secret_outputs=["worker_token", "manager_token"]),
            ),
        )


def _hosts(props: dict[str, Any]) -> list[Host]:
    return [Host.from_inputs(manager) for manager in props["managers"]]


def _existing(hosts: Sequence[Host]) -> str:
    """The swarm that a manager of the configuration already manages, or nothing."""
    found: dict[str, str] = {}
    for host in hosts:
        with engine(host) as client:
            state = swarm_state(client)
        if state["ControlAvailable"]:
            cluster: dict[str, Any] = state.get("Cluster") or {"Spec": {}}
            if OURS not in (cluster["Spec"].get("Labels") or ()):
                raise PhoneError(
                    f"{host.name} manages a swarm that cloudlet did not make "
                    f"({cluster_id(state)}); run `docker swarm leave --force` on it if that swarm "
                    "is to go"
                )
            found[host.name] = cluster_id(state)
    if len(set(found.values())) > 1:
        listed = ", ".join(f"{name} in {swarm}" for name, swarm in found.items())
        raise PhoneError(
            f"the managers are in different swarms ({listed}); "
            "run `docker swarm leave --force` on those whose swarm is to go"
        )
    return next(iter(found.values()), "")


def _initialise(host: Host, address: str, settings: dict[str, Any]) -> str:
    with engine(host) as client:
        client.post(
            "/swarm/init",
            {
                "ListenAddr": LISTEN,
                "AdvertiseAddr": address,
                "DefaultAddrPool": [settings["address_pool"]],
                "SubnetSize": int(settings["address_pool_mask"]),
                "Spec": {"Labels": {OURS: "true"}, **_spec(settings, {})},
            },
        )
        return cluster_id(swarm_state(client))


def _spec(settings: dict[str, Any], current: dict[str, Any]) -> dict[str, Any]:
    return {
        "Orchestration": {**current.get("Orchestration", {}), "TaskHistoryRetentionLimit": 1},
        "Dispatcher": {"HeartbeatPeriod": int(settings["heartbeat"])},
        "CAConfig": {
            **current.get("CAConfig", {}),
            "NodeCertExpiry": int(settings["certificate_expiry"]),
        },
    }


def _tokens(hosts: Sequence[Host], swarm_id: str) -> dict[str, str]:
    with any_manager(hosts, swarm_id) as client:
        tokens = client.get("/swarm")["JoinTokens"]
    return {"worker_token": tokens["Worker"], "manager_token": tokens["Manager"]}
