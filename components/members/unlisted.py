"""Managers that vote although the swarm does not list them, and how their votes end.

A manager that somebody removes by hand while it runs (``docker node demote``, then
``docker node rm --force``) is not told, and joins the managers' raft again half a minute later.
Swarm looks for members of the raft that it does not list only when a manager becomes the leader
(swarmkit, ``manager/role_manager.go``). Until then such a one counts in every majority, even when
it is off for ever: of three listed managers none may be lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from components import dial
from components.dynamic import tell
from components.remote.engine_api import Engine, EngineError, NoLeaderError
from components.remote.ssh import Host

from .leaving import changing, is_reachable
from .managers import any_manager, name_of, nodes_by_id, swarm_state, update_node, wait_until

# An engine hears of a manager that was just removed a moment after the list has lost it.
HEARD_SECONDS = 10.0
ELECTION_SECONDS = 20.0
# Two seconds as a rule; at worst Swarm has it wait for its role twice 16 s before it votes again.
VOTES_AGAIN_SECONDS = 90.0


def end_votes(manager: Engine, hosts: Sequence[Host], swarm_id: str) -> None:
    """Makes the managers forget those that they do not list, which must not run any more.

    ``hosts`` are the swarm's managers. The leader hands over once, and stays a manager throughout
    by its role, so no task moves. Told, and no error, where that cannot be done now.
    """
    if wait_until(lambda: not _unlisted(manager), HEARD_SECONDS):
        return
    with changing:
        leader_id, name = _leader(manager)
        with any_manager(hosts, swarm_id, shun=name) as other:
            ended = other.phone != name and _hand_over(other, leader_id, name)
        dial.forget(swarm_id)
    if not ended:
        tell(
            "a manager that was removed while it ran still counts in the swarm's majority until "
            f"another one leads; restart Docker on {name or 'the leader'} when all others are up"
        )


def _hand_over(other: Engine, leader_id: str, name: str) -> bool:
    """Whether the leader did, and votes again; ``other`` is the engine of another manager."""
    tell(f"{name} hands over the lead, so that a manager that is not listed any more has no vote")
    try:
        update_node(other, leader_id, lambda spec: spec.update(Role="worker"))
    except EngineError as error:
        tell(str(error))
        return False
    # Its observed role changes some seconds after its vote is gone. Until then it may be told to
    # stay, and what must run on a manager stays on it.
    wait_until(lambda: _leader(other)[0] not in ("", leader_id), ELECTION_SECONDS, every=0.1)
    update_node(other, leader_id, lambda spec: spec.update(Role="manager"))

    def over() -> bool:
        return not _unlisted(other) and is_reachable(nodes_by_id(other)[leader_id])

    return wait_until(over, VOTES_AGAIN_SECONDS)


def _unlisted(manager: Engine) -> set[str]:
    """Node ids that the engine knows as managers and the managers do not list.

    In this order: a new manager is listed before it is known as one.
    """
    known = {other["NodeID"] for other in swarm_state(manager).get("RemoteManagers") or ()}
    return known - nodes_by_id(manager).keys()


def _leader(manager: Engine) -> tuple[str, str]:
    """Id and name of the node that leads; both empty while none of the listed does."""
    try:
        nodes = nodes_by_id(manager)
    except NoLeaderError:
        return "", ""
    for key, node in nodes.items():
        status: dict[str, Any] = node.get("ManagerStatus") or {}
        if status.get("Leader"):
            return key, name_of(node)
    return "", ""
