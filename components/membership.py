"""One phone's membership of the swarm, as a resource that a refresh can read.

A phone is a member if, and only if, its node id is in a manager's list; what the phone believes
of itself counts for nothing. Never rename this module: the state of every lab names it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, ReadResult, Resource, UpdateResult

from . import quorum
from .dynamic import Provider, tell
from .engine_api import Engine, engine
from .managers import (
    Access,
    any_manager,
    cluster_id,
    delete_node,
    manager_of,
    nodes_by_id,
    swarm_state,
    update_node,
    wait_until,
)
from .ssh import Host, PhoneError
from .swarm_init import LISTEN

PHONE_LABEL = "cloudlet.phone"
JOIN_SECONDS = 60.0
DRAIN_SECONDS = 120.0
DEMOTE_SECONDS = 40.0
SPEC = ("role", "availability", "labels")


class MembershipProvider(Provider):
    """Inputs ``phone``, ``address``, ``managers``, ``swarm_id``, ``role``, ``availability``,
    ``labels``. The resource's id is the node's."""

    updates = ("phone", "managers", *SPEC)
    replaces = ("swarm_id", "address")

    def create(self, props: dict[str, Any]) -> CreateResult:
        host = Host.from_inputs(props["phone"])
        with manager_of(props) as manager:
            node_id = _join(host, props, manager)
            _remove_twins(manager, node_id)
            _set_spec(manager, node_id, props)
        return CreateResult(node_id, dict(props))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        try:
            with manager_of(props) as manager:
                node = nodes_by_id(manager).get(id_)
        except PhoneError as error:
            tell(str(error))
            return ReadResult(id_, props)
        if node is None:
            # Pulumi's dynamic host takes an id of None with empty properties for "gone".
            return ReadResult(None, {})
        spec = node["Spec"]
        seen: dict[str, Any] = {
            "role": spec["Role"],
            "availability": spec["Availability"],
            "labels": spec.get("Labels") or {},
        }
        return ReadResult(id_, {**props, **seen})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        with manager_of(_news) as manager:
            if _olds["role"] == "manager" and _news["role"] == "worker":
                _refuse_without_majority(manager, _id, Host.from_inputs(_news["phone"]).name)
            _set_spec(manager, _id, _news)
        return UpdateResult(dict(_news))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        host = Host.from_inputs(_props["phone"])
        managers = [Host.from_inputs(manager) for manager in _props["managers"]]
        others = [manager for manager in managers if manager.name != host.name]
        try:
            with any_manager([*others, host], _props["swarm_id"]) as manager:
                if not _is_last_manager(manager, _id):
                    _remove(manager, _id, host)
        except _MajorityError:
            raise
        except PhoneError as error:
            tell(f"{error}\n{host.name}: could not be taken off the managers' list")
            if _props["role"] == "worker":
                _leave(host)


@dataclass(frozen=True, kw_only=True)
class MembershipArgs:
    """``phone`` is a host's properties, ``address`` where the other phones reach it.

    ``role`` is manager or worker; ``availability`` active, pause or drain.
    """

    phone: pulumi.Input[dict[str, Any]]
    address: pulumi.Input[str]
    access: Access
    role: str
    labels: pulumi.Input[dict[str, str]]
    availability: str = "active"


class Membership(Resource, module="cloudlet", name="Membership"):
    """The phone's place in the swarm; the resource's id is its node id."""

    def __init__(
        self, name: str, args: MembershipArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(
            MembershipProvider(),
            name,
            {
                "phone": args.phone,
                "address": args.address,
                "role": args.role,
                "availability": args.availability,
                "labels": args.labels,
                **args.access.to_inputs(),
            },
            opts,
        )


class _MajorityError(PhoneError):
    """Going on would lose the swarm; unlike a dead phone, this must stop a run."""


def _join(host: Host, props: dict[str, Any], manager: Engine) -> str:
    """Makes the phone a member; its node id."""
    with engine(host) as phone:
        state = swarm_state(phone)
        if state["NodeID"] and state["NodeID"] in nodes_by_id(manager):
            return state["NodeID"]
        if state["LocalNodeState"] != "inactive":
            _leave_old_swarm(host, phone, state)
        tokens = manager.get("/swarm")["JoinTokens"]
        phone.post(
            "/swarm/join",
            {
                "ListenAddr": LISTEN,
                "AdvertiseAddr": props["address"],
                "RemoteAddrs": _remote_addresses(manager),
                "JoinToken": tokens["Manager" if props["role"] == "manager" else "Worker"],
            },
        )
        node_id = ""

        def ready() -> bool:
            nonlocal node_id
            node_id = swarm_state(phone)["NodeID"]
            node = nodes_by_id(manager).get(node_id)
            return node is not None and node["Status"]["State"] == "ready"

        if not wait_until(ready, JOIN_SECONDS):
            believed = swarm_state(phone)
            raise PhoneError(
                f"{host.name} joined but did not become ready within {JOIN_SECONDS:.0f} s "
                f"({believed.get('Error') or believed['LocalNodeState']}); "
                "can it reach the managers' ports 2377 and 7946?"
            )
        return node_id


def _leave_old_swarm(host: Host, phone: Engine, state: dict[str, Any]) -> None:
    if state["ControlAvailable"]:
        raise PhoneError(
            f"{host.name} manages another swarm ({cluster_id(state)}), which may be somebody's; "
            "run `docker swarm leave --force` on it if that swarm is to go"
        )
    tell(f"{host.name}: leaving a swarm that does not know it as a member of this one")
    phone.post("/swarm/leave", force=True)


def _remote_addresses(manager: Engine) -> list[str]:
    nodes = nodes_by_id(manager).values()
    statuses = [node["ManagerStatus"] for node in nodes if node.get("ManagerStatus")]
    return [status["Addr"] for status in statuses if status.get("Reachability") == "reachable"]


def _remove_twins(manager: Engine, node_id: str) -> None:
    """Takes away entries that the same phone left behind when it was reset or rejoined."""
    nodes = nodes_by_id(manager)
    hostname = nodes[node_id]["Description"]["Hostname"]
    for twin_id, twin in nodes.items():
        same = twin["Description"].get("Hostname") == hostname
        if twin_id != node_id and same and twin["Status"]["State"] == "down":
            if twin["Spec"]["Role"] == "manager":
                update_node(manager, twin_id, lambda spec: spec.update(Role="worker"))
            delete_node(manager, twin_id)
            tell(f"{hostname}: removed its old entry {twin_id} from the managers' list")


def _set_spec(manager: Engine, node_id: str, props: dict[str, Any]) -> None:
    def change(spec: dict[str, Any]) -> None:
        spec.update(
            Role=props["role"], Availability=props["availability"], Labels=dict(props["labels"])
        )

    update_node(manager, node_id, change)


def _is_last_manager(manager: Engine, node_id: str) -> bool:
    nodes = nodes_by_id(manager)
    return {key for key, node in nodes.items() if node["Spec"]["Role"] == "manager"} == {node_id}


def _refuse_without_majority(manager: Engine, node_id: str, name: str) -> None:
    """Raises where the managers that stay could not go on."""
    verdict = _removal(manager, node_id, name)
    if not verdict.keeps_majority:
        raise _MajorityError(f"{name} stays a manager: {verdict.sum}")


def _removal(manager: Engine, node_id: str, name: str) -> quorum.Verdict:
    """Whether the managers that stay could go on without the node, which is called ``name``."""
    managers: set[str] = set()
    reachable: set[str] = set()
    for key, node in nodes_by_id(manager).items():
        if node["Spec"]["Role"] == "manager":
            # Hostnames may be doubled, ids cannot; only the one in question is spoken of by name.
            label = name if key == node_id else key
            managers.add(label)
            status: dict[str, Any] = node.get("ManagerStatus") or {}
            if status.get("Reachability") == "reachable":
                reachable.add(label)
    return quorum.removal(managers=managers, reachable=reachable, leaving={name})


def _remove_dead_managers(manager: Engine, node_id: str, name: str) -> None:
    """Takes managers that are off the list where, with them, a removal would lose the majority.

    So a destroy ends although a manager is dead. One that comes back is made a member again by
    the next `up --refresh`, if it is configured.
    """
    if _removal(manager, node_id, name).keeps_majority:
        return
    for dead_id, node in nodes_by_id(manager).items():
        if node["Spec"]["Role"] == "manager" and node["Status"]["State"] == "down":
            update_node(manager, dead_id, lambda spec: spec.update(Role="worker"))
            delete_node(manager, dead_id)
            hostname = node["Description"].get("Hostname", dead_id)
            tell(f"{hostname} is down and no longer a manager, so that {name} can be removed")


def _remove(manager: Engine, node_id: str, host: Host) -> None:
    """Drain, demote, leave on the phone, remove on the managers: each step bounded."""
    node = nodes_by_id(manager).get(node_id)
    if node is None:
        _leave(host)
        return
    labels: dict[str, str] = node["Spec"].get("Labels") or {}
    if labels.get(PHONE_LABEL, host.name) != host.name:
        # The phone has another name in the configuration now, and is a member under that one.
        return
    _remove_dead_managers(manager, node_id, host.name)
    _refuse_without_majority(manager, node_id, host.name)
    alive = node["Status"]["State"] == "ready"
    update_node(manager, node_id, lambda spec: spec.update(Availability="drain"))
    if alive:
        _wait_drained(manager, node_id, host)
    if node["Spec"]["Role"] == "manager":
        update_node(manager, node_id, lambda spec: spec.update(Role="worker"))
        wait_until(lambda: not nodes_by_id(manager)[node_id].get("ManagerStatus"), DEMOTE_SECONDS)
    if alive:
        _leave(host)
    delete_node(manager, node_id)


def _wait_drained(manager: Engine, node_id: str, host: Host) -> None:
    left = -1

    def empty() -> bool:
        nonlocal left
        tasks = manager.get("/tasks", filters={"node": [node_id]})
        running = sum(task["Status"]["State"] in ("running", "starting") for task in tasks)
        if running and running != left:
            tell(f"{host.name}: {running} task{'s' if running > 1 else ''} left")
        left = running
        return running == 0

    if not wait_until(empty, DRAIN_SECONDS, every=0.5):
        tell(f"{host.name}: {left} tasks did not stop within {DRAIN_SECONDS:.0f} s; going on")


def _leave(host: Host) -> None:
    try:
        with engine(host) as phone:
            if swarm_state(phone)["LocalNodeState"] != "inactive":
                phone.post("/swarm/leave", force=True)
    except PhoneError as error:
        tell(f"{error}\n{host.name}: when it is back, run `docker swarm leave --force` on it")
