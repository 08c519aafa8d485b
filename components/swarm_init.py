"""The swarm itself as a resource: found on a manager or initialised on the first one.

Never rename this module: the state of every lab names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from . import plan_words
from .dial import WAYS_OUT
from .dynamic import Provider, tell, tell_once
from .members import quorum
from .members.managers import (
    any_manager,
    cluster_id,
    hosts_of,
    managers_seen,
    swarm_state,
    wait_until,
)
from .remote.engine_api import Engine, engine
from .remote.ssh import Host, PhoneError

ELECTION_SECONDS = 20.0
LISTEN = "0.0.0.0:2377"
# The label by which a swarm is known as made here: another one must be neither used nor ended.
OURS = "cloudlet.swarm"
# What a swarm is made with and keeps for life, and the key of the configuration for each.
FOR_LIFE = {
    "address_pool": "addressPool",
    "address_pool_mask": "addressPoolMask",
    "data_path_port": "dataPathPort",
}


@dataclass(frozen=True, kw_only=True)
class SwarmSettings:
    """``address_pool`` in CIDR form; periods in nanoseconds, as Docker has them.

    ``data_path_port`` is UDP; ``token_epoch`` any number: with another one, both tokens are new.
    """

    address_pool: str
    address_pool_mask: int
    certificate_expiry: int
    heartbeat: int
    data_path_port: int
    token_epoch: int

    def to_inputs(self) -> dict[str, Any]:
        return {
            "address_pool": self.address_pool,
            "address_pool_mask": self.address_pool_mask,
            # Nanoseconds of a year do not survive as JSON numbers everywhere; text does.
            "certificate_expiry": str(self.certificate_expiry),
            "heartbeat": str(self.heartbeat),
            "data_path_port": self.data_path_port,
        }


class SwarmInitProvider(Provider):
    """Inputs ``managers`` (hosts by which the swarm is reached, each with its ``address``),
    ``leaders`` (names of those that the configuration makes managers), ``settings``,
    ``token_epoch``. Output ``reachability``: how a manager sees each one, as last refreshed."""

    updates = ("managers", "settings", "token_epoch")

    def create(self, props: dict[str, Any]) -> CreateResult:
        managers = [host for host in props["managers"] if host["name"] in props["leaders"]]
        hosts = [Host.from_inputs(manager) for manager in managers]
        addresses = [manager["address"] for manager in managers]
        found = _existing(dict(zip(addresses, hosts, strict=True)))
        if found:
            tell(f"{hosts[0].name}: using the swarm {found} that is already there")
        swarm_id = found or _initialise(hosts[0], addresses[0], props["settings"])
        with any_manager(hosts, swarm_id) as client:
            return CreateResult(swarm_id, {**props, **_tokens(client)})

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        _refuse_what_is_for_life(_olds["settings"], _news["settings"])
        _refuse_loss_of_majority(_olds.get("reachability") or {}, _news["leaders"])
        return super().diff(_id, _olds, _news)

    def reasons(self, olds: dict[str, Any], news: dict[str, Any]) -> Iterable[str]:
        for words in plan_words.settings(olds["settings"], news["settings"]):
            yield f"swarm: {words}"
        if olds.get("token_epoch", news["token_epoch"]) != news["token_epoch"]:
            yield "swarm: another tokenEpoch, so both join tokens are made anew"

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        try:
            with any_manager(hosts_of(props), id_) as client:
                seen = {"reachability": managers_seen(client), **_tokens(client)}
        except PhoneError as error:
            tell_once(str(error))
            return ReadResult(id_, props)
        return ReadResult(id_, {**props, **seen})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        rotate = _news["token_epoch"] != _olds.get("token_epoch", _news["token_epoch"])
        with any_manager(hosts_of(_news), _id) as client:
            swarm = client.get("/swarm")
            client.post(
                "/swarm/update",
                {**swarm["Spec"], **_spec(_news["settings"], swarm["Spec"])},
                version=swarm["Version"]["Index"],
                rotateWorkerToken=rotate,
                rotateManagerToken=rotate,
            )
            kept = {"reachability": _olds.get("reachability")}
            return UpdateResult({**_news, **kept, **_tokens(client)})

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        silent: list[str] = []
        left = False
        for host in hosts_of(_props):
            try:
                with engine(host) as client:
                    state = swarm_state(client)
                    # Without a majority a manager does not tell which swarm it is in.
                    if state["ControlAvailable"] and cluster_id(state) in (_id, ""):
                        client.post("/swarm/leave", force=True)
                        left = True
            except PhoneError as error:
                silent.append(
                    f"{error}\n{host.name}: when it is back, run `docker swarm leave --force` on it"
                )
        if not left:
            # Else the last manager was found, and each other member was spoken of when it left.
            for words in silent:
                tell(words)


class SwarmInit(Resource, module="cloudlet", name="SwarmInit"):
    """``worker_token`` and ``manager_token`` are secret; the resource's id is the swarm's."""

    worker_token: pulumi.Output[str]
    manager_token: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        managers: pulumi.Input[Sequence[Mapping[str, Any]]],
        leaders: Sequence[str],
        settings: SwarmSettings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            SwarmInitProvider(),
            name,
            {
                "managers": managers,
                "leaders": list(leaders),
                "settings": settings.to_inputs(),
                "token_epoch": settings.token_epoch,
                "reachability": None,
                "worker_token": None,
                "manager_token": None,
            },
            pulumi.ResourceOptions.merge(
                opts,
                pulumi.ResourceOptions(additional_secret_outputs=["worker_token", "manager_token"]),
            ),
        )


def _refuse_what_is_for_life(olds: Mapping[str, Any], news: Mapping[str, Any]) -> None:
    for name, key in FOR_LIFE.items():
        if name in olds and news[name] != olds[name]:
            old = olds[name] if isinstance(olds[name], str) else f"{olds[name]:.0f}"
            raise PhoneError(
                f"swarm.{key} is set when a swarm is made and cannot change after; "
                f"put back {old}, or destroy and up"
            )


def _refuse_loss_of_majority(seen: Mapping[str, str], leaders: Sequence[str]) -> None:
    """So that a preview refuses already what the removal of a phone would refuse."""
    verdict = quorum.change(
        managers=seen.keys(),
        reachable={name for name, state in seen.items() if state == "reachable"},
        wanted=set(leaders),
    )
    if not verdict.keeps_majority:
        raise PhoneError(
            f"phones: {verdict.sum}, as the last refresh saw it, so the swarm would take no more "
            "orders. Keep these managers until the others are back, or make other phones "
            f"managers first; `pulumi refresh` looks again. {WAYS_OUT}"
        )


def _existing(hosts: Mapping[str, Host]) -> str:
    """The swarm that a manager of the configuration already manages, or nothing.

    ``hosts`` by address. A swarm whose managers are all asked here, and in which too few of them
    still are, is over: a phone that was off while its lab was destroyed comes back with such a one.
    """
    states: dict[str, dict[str, Any]] = {}

    def settled() -> bool:
        states.clear()
        states.update(_managing(hosts))
        return not any(_may_elect(address, states, hosts) for address in states)

    # Managers that have just been switched on elect a leader within seconds.
    wait_until(settled, ELECTION_SECONDS, every=1.0)
    found: dict[str, str] = {}
    for address, state in states.items():
        host = hosts[address]
        if _may_elect(address, states, hosts):
            raise PhoneError(
                f"{host.name} manages a swarm whose majority is lost; start its other "
                "managers, or run `docker swarm leave --force` on it if that swarm is to go"
            )
        if not cluster_id(state):
            tell(f"{host.name}: leaving a swarm that its other managers have left")
            with engine(host) as client:
                client.post("/swarm/leave", force=True)
        elif OURS not in (state["Cluster"]["Spec"].get("Labels") or ()):
            raise PhoneError(
                f"{host.name} manages a swarm that cloudlet did not make "
                f"({cluster_id(state)}); run `docker swarm leave --force` on it if that swarm "
                "is to go"
            )
        else:
            found[host.name] = cluster_id(state)
    if len(set(found.values())) > 1:
        listed = ", ".join(f"{name} in {swarm}" for name, swarm in found.items())
        raise PhoneError(
            f"the managers are in different swarms ({listed}); "
            "run `docker swarm leave --force` on those whose swarm is to go"
        )
    return next(iter(found.values()), "")


def _managing(hosts: Mapping[str, Host]) -> dict[str, dict[str, Any]]:
    """What those believe who take themselves for managers, by address."""

    def ask(host: Host) -> dict[str, Any]:
        with engine(host) as client:
            return swarm_state(client)

    with ThreadPoolExecutor(len(hosts)) as pool:
        states = dict(zip(hosts, pool.map(ask, hosts.values()), strict=True))
    return {address: state for address, state in states.items() if state["ControlAvailable"]}


def _may_elect(
    address: str, states: Mapping[str, dict[str, Any]], asked: Mapping[str, Host]
) -> bool:
    """Whether the manager there has no leader and may have one yet."""
    if cluster_id(states[address]):
        return False
    others: list[dict[str, str]] = states[address].get("RemoteManagers") or []
    return not quorum.is_over(
        managers={address, *(other["Addr"].rpartition(":")[0] for other in others)},
        asked=asked.keys(),
        still_in={other for other, state in states.items() if not cluster_id(state)},
    )


def _initialise(host: Host, address: str, settings: dict[str, Any]) -> str:
    with engine(host) as client:
        client.post(
            "/swarm/init",
            {
                "ListenAddr": LISTEN,
                "AdvertiseAddr": address,
                "DefaultAddrPool": [settings["address_pool"]],
                "SubnetSize": int(settings["address_pool_mask"]),
                "DataPathPort": int(settings["data_path_port"]),
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


def _tokens(client: Engine) -> dict[str, str]:
    tokens = client.get("/swarm")["JoinTokens"]
    return {"worker_token": tokens["Worker"], "manager_token": tokens["Manager"]}
