"""One phone's membership of the swarm, as a resource that a refresh can read.

A phone is a member if its node id is in a manager's list and it says itself that it is that node.
Never rename this module: the state of every lab names it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any, TypeVar

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from . import plan_words
from .dynamic import Provider, tell, tell_once
from .members import joining, leaving, unlisted
from .members.managers import (
    ELECTION_LOOK_SECONDS,
    Access,
    NoManagerError,
    any_manager,
    hosts_of,
    manager_of,
    nodes_by_id,
    update_node,
)
from .members.settling import await_tasks
from .memo import once
from .phones.survey import outdated, recent
from .remote.engine_api import Engine, NoLeaderError, NotManagerError
from .remote.ssh import Host, PhoneError

T = TypeVar("T")

# A member is down where the managers miss it or its Docker, the phone itself being up. It has left
# where the managers do not list it or the phone says that it is not that node.
READY, DOWN, LEFT = "ready", "down", "left"
# As many managers may go in one run, each of which may have been spoken through.
TRIES = 7
# A leader that hands over gives its list as ever, and takes no order for so long at most.
HANDOVER_SECONDS = 7.0
# A refresh reads all memberships within moments of each other.
LIST_SECONDS = 5.0


class MembershipProvider(Provider):
    """Inputs ``phone``, ``address``, ``managers``, ``swarm_id``, ``role``, ``availability``,
    ``labels``, ``leaders`` (names of the configuration's managers), ``state``: what it is to be.
    The resource's id is the node's."""

    updates = ("phone", "managers", "role", "availability", "labels", "state")
    replaces = ("swarm_id", "address")

    def create(self, props: dict[str, Any]) -> CreateResult:
        host = Host.from_inputs(props["phone"])

        def join(manager: Engine) -> str:
            node_id = joining.join(host, props, manager)
            joining.remove_twins(manager, node_id, host.name)
            _set_spec(manager, node_id, host.name, props)
            unlisted.end_votes(manager, hosts_of(props), props["swarm_id"])
            await_tasks(manager)
            return node_id

        node_id = _through_a_manager(props, join)
        outdated(host)
        return CreateResult(node_id, dict(props))

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        if _olds["address"] != _news["address"]:
            tell_once(
                f"{_news['phone']['name']}: the swarm knows it at {_olds['address']}, and it is at "
                f"{_news['address']}. Swarm cannot change that, so the phone leaves and joins again"
            )
        result = super().diff(_id, {"state": READY, **_olds}, _news)
        if _olds.get("state") == LEFT:
            result.replaces = [*(result.replaces or ()), "state"]
        return result

    def reasons(self, olds: dict[str, Any], news: dict[str, Any]) -> Iterable[str]:
        yield from super().reasons(olds, news)
        name = olds["phone"]["name"]
        if words := ", ".join(plan_words.member(olds, news)):
            yield f"{name}: {words}"
        if olds.get("state") == DOWN:
            yield f"{name}: down in the swarm → ready"

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        host = Host.from_inputs(props["phone"])
        listed = once(("nodes", props["swarm_id"]), lambda: _listed(props), LIST_SECONDS)
        if listed is None:
            return ReadResult(id_, props)
        node = listed.get(id_)
        elsewhere = _belongs_elsewhere(host, id_)
        if node is None:
            tell(f"{host.name}: the managers do not list it any more")
        elif elsewhere:
            tell(f"{host.name}: the managers list it as node {id_}, but the phone {elsewhere}")
        if node is None and elsewhere:
            # Pulumi's dynamic host takes an id of None with empty properties for "gone".
            return ReadResult(None, {})
        if node is None or elsewhere:
            # On the other side it is still there, to be taken away even where nobody joins again.
            return ReadResult(id_, {**props, "state": LEFT})
        spec = node["Spec"]
        seen: dict[str, Any] = {
            # What it is, not what it was told to become in a run that was cut off.
            "role": "manager" if node.get("ManagerStatus") else "worker",
            "availability": spec["Availability"],
            "labels": spec.get("Labels") or {},
            "address": _address(host, node, props["address"]),
            "state": _state(host, node),
        }
        return ReadResult(id_, {**props, **seen})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        host = Host.from_inputs(_news["phone"])

        def change(manager: Engine) -> None:
            _set_spec(manager, _id, host.name, _news)
            if _olds.get("state") == DOWN:
                joining.wait_until_back(manager, _id, host.name)
            await_tasks(manager)

        _through_a_manager(_news, change)
        return UpdateResult(dict(_news))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        host = Host.from_inputs(_props["phone"])
        try:
            # What is half done when this fails is gone on with by the next run.
            _through_a_manager(_props, lambda manager: _remove(manager, _id, host, _props))
        except NoManagerError as error:
            tell_once(str(error))
            if _props["role"] == "worker":
                leaving.leave(host, _id)


@dataclass(frozen=True, kw_only=True)
class MembershipArgs:
    """``phone`` is a host's properties, ``address`` where the other phones reach it.

    ``role`` is manager or worker; ``availability`` active, pause or drain. ``leaders`` names all
    phones whose role is manager.
    """

    phone: pulumi.Input[dict[str, Any]]
    address: pulumi.Input[str]
    access: Access
    role: str
    labels: pulumi.Input[dict[str, str]]
    availability: str
    leaders: Sequence[str]


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
                "leaders": list(args.leaders),
                "state": READY,
                **args.access.to_inputs(),
            },
            opts,
        )


def _through_a_manager(props: dict[str, Any], work: Callable[[Engine], T]) -> T:
    """What ``work`` returns, which is begun anew where it fell into a change of the managers.

    In the same run others join and go: the one that is spoken through may cease to be a manager,
    and while the leader does, or a second manager joins the only one, there is no leader for
    moments. Only where none is found to go on is the majority lost.
    """
    name = props["phone"]["name"]
    tries_left = TRIES
    patience = HANDOVER_SECONDS
    while True:
        try:
            with any_manager(hosts_of(props), props["swarm_id"], shun=name) as manager:
                return work(manager)
        except NotManagerError:
            tries_left -= 1
            if not tries_left:
                raise
        except NoLeaderError:
            patience -= ELECTION_LOOK_SECONDS
            if patience < 0:
                raise
            time.sleep(ELECTION_LOOK_SECONDS)


def _remove(manager: Engine, node_id: str, host: Host, props: dict[str, Any]) -> None:
    if not leaving.is_last_manager(manager, node_id):
        gone = props.get("state") == LEFT
        leaving.remove(manager, node_id, host, props["swarm_id"], gone=gone)
        unlisted.end_votes(manager, hosts_of(props), props["swarm_id"])
        await_tasks(manager)


def _set_spec(manager: Engine, node_id: str, name: str, props: dict[str, Any]) -> None:
    def change(spec: dict[str, Any]) -> None:
        spec.update(Availability=props["availability"], Labels=dict(props["labels"]))

    update_node(manager, node_id, change)
    if props["role"] == "manager":
        leaving.promote(manager, node_id, name)
    else:
        leaving.demote(manager, node_id, name, props["swarm_id"], staying=props["leaders"])


def _listed(props: dict[str, Any]) -> dict[str, dict[str, Any]] | None:
    """The managers' list, for every membership that is read at this time; ``None`` without one."""
    try:
        with manager_of(props) as manager:
            return nodes_by_id(manager)
    except PhoneError as error:
        tell_once(str(error))
        return None


def _belongs_elsewhere(host: Host, node_id: str) -> str:
    """What the phone says that it is, if that is not the node; empty where it is.

    One that does not answer, or whose Docker does not, is believed: it may be off for a while.
    """
    now = recent(host)
    if now is None or not now.swarm.state or now.swarm.node_id == node_id:
        return ""
    return f"itself is node {now.swarm.node_id}" if now.swarm.node_id else "itself is in no swarm"


def _state(host: Host, node: dict[str, Any]) -> str:
    """A phone that does not answer is not called down: it may be off for a while. Nor is one of
    which a new leader has yet to hear: that is ``unknown``."""
    now = recent(host)
    missed = node["Status"]["State"] == "down"
    return DOWN if now and (missed or now.docker.state != "running") else READY


def _address(host: Host, node: dict[str, Any], recorded: str) -> str:
    """Where the other nodes were told to reach this one.

    Of a worker the managers know only where it connects from, which on a phone with several
    addresses may be another one. So the phone is asked, and one that is silent is believed to be
    where it was.
    """
    now = recent(host)
    managing: dict[str, Any] = node.get("ManagerStatus") or {}
    for told in (now.swarm.address if now else "", managing.get("Addr", "").rpartition(":")[0]):
        if _is_usable(told):
            return told
    heard = node["Status"].get("Addr", "")
    moved = _is_usable(heard) and heard != recorded and node["Status"]["State"] == "ready"
    if now is None and moved:
        tell(
            f"{host.name}: it does not answer, but the managers hear from it at {heard}. If it has "
            f"moved there, write {heard} into phones.{host.name}.address"
        )
    return recorded


def _is_usable(text: str) -> bool:
    """Whether another node can reach a node there."""
    try:
        address = IPv4Address(text)
    except ValueError:
        return False
    return not (address.is_unspecified or address.is_loopback)
