"""How a phone stops being a manager, and how it stops being a member, with the majority kept.

Whatever changes who manages happens one at a time in this process, each with the majority looked
at anew, and is over only when the managers agree that it is.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from typing import Any

from components import dial
from components.dynamic import tell, tell_once
from components.remote.engine_api import Engine, NoLeaderError, engine
from components.remote.ssh import Host, PhoneError

from . import quorum
from .managers import delete_node, name_of, nodes_by_id, swarm_state, update_node, wait_until

DRAIN_SECONDS = 120.0
ROLE_SECONDS = 40.0
# Two seconds as a rule. One that ceased to be a manager moments before has Swarm wait for its role
# twice 16 s first.
VOTES_SECONDS = 90.0
# A task in one of these states has a container that is at work or about to be.
AT_WORK = ("starting", "running")

# Held while the managers become others than they were.
changing = threading.Lock()


class MajorityError(PhoneError):
    """Going on would lose the swarm; unlike a dead phone, this must stop a run."""


def promote(manager: Engine, node_id: str, name: str) -> None:
    """Makes the node a manager that the others can reach.

    Raises:
        PhoneError: it is down, or did not become one in time.
    """
    with changing:
        node = nodes_by_id(manager)[node_id]
        if is_reachable(node):
            return
        # One that was just switched on is heard of within some heartbeats.
        if not wait_until(lambda: state_of(manager, node_id) == "ready", ROLE_SECONDS):
            raise PhoneError(
                f"{name} is {state_of(manager, node_id)}, so it cannot become a manager; start it, "
                "or leave it a worker"
            )
        update_node(manager, node_id, lambda spec: spec.update(Role="manager"))
        if not wait_until(lambda: is_reachable(nodes_by_id(manager)[node_id]), VOTES_SECONDS):
            raise PhoneError(
                f"{name} did not become a manager within {VOTES_SECONDS:.0f} s; "
                "can it reach the other managers' port 2377?"
            )


def demote(
    manager: Engine, node_id: str, name: str, swarm_id: str, *, staying: Collection[str] = ()
) -> None:
    """Makes the node a worker.

    Dead managers whose loss the majority cannot bear with this one's are taken off the list
    first, but for those in ``staying``, by name.

    Raises:
        MajorityError: those that stay could not go on.
    """
    with changing:
        node = nodes_by_id(manager)[node_id]
        if node["Spec"]["Role"] == "worker" and not node.get("ManagerStatus"):
            return
        _ensure_majority(manager, node_id, name, staying)
        _become_worker(manager, node_id)
        # Whoever speaks to the swarm through this phone must look for another one.
        dial.forget(swarm_id)


def remove(manager: Engine, node_id: str, host: Host, swarm_id: str, *, gone: bool = False) -> None:
    """Drain, demote, leave on the phone, remove on the managers: each step bounded.

    ``gone``: it has left by itself, so that nothing runs there which could be waited for.

    Raises:
        MajorityError: it is a manager, and those that stay could not go on.
    """
    node = nodes_by_id(manager).get(node_id)
    if node is None:
        leave(host, node_id)
        return
    if name_of(node) not in (host.name, node_id):
        # The phone has another name in the configuration now, and is a member under that one.
        return
    if node.get("ManagerStatus"):
        with changing:
            _ensure_majority(manager, node_id, host.name, ())
    update_node(manager, node_id, lambda spec: spec.update(Availability="drain"))
    if not gone and settled_state(manager, node_id) == "ready":
        _wait_drained(manager, node_id, host.name)
    demote(manager, node_id, host.name, swarm_id)
    leave(host, node_id)
    delete_node(manager, node_id)


def settled_state(manager: Engine, node_id: str) -> str:
    """The node's state; a new leader calls each node ``unknown`` until it has heard of it."""
    wait_until(lambda: state_of(manager, node_id) != "unknown", ROLE_SECONDS)
    return state_of(manager, node_id)


def state_of(manager: Engine, node_id: str) -> str:
    """What the managers say of a node: ready, down, unknown or disconnected."""
    return nodes_by_id(manager)[node_id]["Status"]["State"]


def leave(host: Host, node_id: str) -> None:
    """Makes the phone forget that it is the node; one that does not answer is only told of.

    What is to be done with that one is said when it is no phone of the lab any more.
    """
    try:
        with engine(host) as phone:
            state = swarm_state(phone)
            if state["LocalNodeState"] != "inactive" and state["NodeID"] in (node_id, ""):
                phone.post("/swarm/leave", force=True)
    except PhoneError as error:
        tell_once(str(error))


def is_reachable(node: dict[str, Any]) -> bool:
    """Whether the node is a manager that the others reach."""
    status: dict[str, Any] = node.get("ManagerStatus") or {}
    return status.get("Reachability") == "reachable"


def is_last_manager(manager: Engine, node_id: str) -> bool:
    """Whether no other node manages, or is to manage, the swarm."""
    nodes = nodes_by_id(manager)
    return {key for key, node in nodes.items() if node["Spec"]["Role"] == "manager"} == {node_id}


def _removal(manager: Engine, node_id: str, name: str) -> quorum.Verdict:
    """Whether the managers that stay could go on without the node, which is called ``name``."""
    managers: set[str] = set()
    reachable: set[str] = set()
    for key, node in nodes_by_id(manager).items():
        if node.get("ManagerStatus"):
            label = name if key == node_id else name_of(node)
            managers.add(label)
            if is_reachable(node):
                reachable.add(label)
    return quorum.removal(managers=managers, reachable=reachable, leaving={name})


def _ensure_majority(manager: Engine, node_id: str, name: str, staying: Collection[str]) -> None:
    if not _removal(manager, node_id, name).keeps_majority:
        for dead_id, node in nodes_by_id(manager).items():
            dead = bool(node.get("ManagerStatus")) and node["Status"]["State"] == "down"
            if dead and dead_id != node_id and name_of(node) not in staying:
                _become_worker(manager, dead_id)
                delete_node(manager, dead_id)
                tell(f"{name_of(node)} is down, so it is no manager any more and {name} may go")
    verdict = _removal(manager, node_id, name)
    if not verdict.keeps_majority:
        raise MajorityError(f"{name} stays a manager: {verdict.sum}")


def _become_worker(manager: Engine, node_id: str) -> None:
    # Swarm refuses it of one that was promoted and does not vote yet.
    wait_until(lambda: bool(nodes_by_id(manager)[node_id].get("ManagerStatus")), VOTES_SECONDS)
    update_node(manager, node_id, lambda spec: spec.update(Role="worker"))
    leaderless: NoLeaderError | None = None

    def done() -> bool:
        nonlocal leaderless
        try:
            node = nodes_by_id(manager)[node_id]
        except NoLeaderError as error:
            # A leader hands over before it is a worker: the others elect one first.
            leaderless = error
            return False
        leaderless = None
        return not node.get("ManagerStatus")

    if not wait_until(done, ROLE_SECONDS):
        raise leaderless or PhoneError(
            f"{name_of(nodes_by_id(manager)[node_id])} is still counted as a manager after "
            f"{ROLE_SECONDS:.0f} s; run `pulumi up` again"
        )


def _wait_drained(manager: Engine, node_id: str, name: str) -> None:
    left = -1

    def empty() -> bool:
        nonlocal left
        tasks = manager.get("/tasks", filters={"node": [node_id]})
        working = sum(task["Status"]["State"] in AT_WORK for task in tasks)
        if working and working != left:
            tell(f"{name}: {working} task{'s' if working > 1 else ''} left")
        left = working
        return working == 0 or state_of(manager, node_id) == "down"

    # A phone that died a moment ago is called ready until it is missed; then nothing stops there.
    if not wait_until(empty, DRAIN_SECONDS, every=0.5):
        tell(f"{name}: {left} tasks did not stop within {DRAIN_SECONDS:.0f} s; going on")
