"""How a phone becomes a member of the swarm, whatever it believes of itself before."""

from __future__ import annotations

from typing import Any

from components.dynamic import tell
from components.remote.engine_api import Engine, engine
from components.remote.ssh import Host, PhoneError
from components.swarm_init import LISTEN

from .managers import (
    cluster_id,
    delete_node,
    name_of,
    nodes_by_id,
    swarm_state,
    update_node,
    wait_until,
)

JOIN_SECONDS = 60.0
BACK_SECONDS = 60.0


def join(host: Host, props: dict[str, Any], manager: Engine) -> str:
    """Makes the phone a member, if it is none; its node id.

    Raises:
        PhoneError: it manages a swarm that is not ours, or did not become ready in time.
    """
    with engine(host) as phone:
        state = swarm_state(phone)
        if state["NodeID"] and state["NodeID"] in nodes_by_id(manager):
            return state["NodeID"]
        if state["LocalNodeState"] != "inactive":
            _leave_old_swarm(host, phone, state, props)
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
                "can it reach the managers' ports 2377 and 7946, and is its clock right?"
            )
        return node_id


def wait_until_back(manager: Engine, node_id: str, name: str) -> None:
    """Until the managers call a member ready that was down. Only then do they want tasks of global
    services on it, which no rollout waits for.

    Told, and no error, where that takes longer than :data:`BACK_SECONDS`.
    """

    def state() -> str:
        return manager.get(f"/nodes/{node_id}")["Status"]["State"]

    if not wait_until(lambda: state() == "ready", BACK_SECONDS):
        tell(f"{name}: after {BACK_SECONDS:.0f} s the managers still call it {state()}")


def remove_twins(manager: Engine, node_id: str, name: str) -> None:
    """Takes off the list what the phone called ``name`` left there as a member before.

    It is ``node_id`` now, so any other node with its label is its past, even one that the managers
    still call ready: they miss a node only when some heartbeats have not come. A node of its
    hostname that is down and was never labelled is what a join that was cut off left. Nobody
    else's label is touched: phones of one kind come with the same hostname.
    """
    nodes = nodes_by_id(manager)
    hostname = nodes[node_id]["Description"].get("Hostname")
    for twin_id, twin in nodes.items():
        unlabelled = name_of(twin) == twin_id
        cut_off = (
            unlabelled
            and twin["Status"]["State"] == "down"
            and twin["Description"].get("Hostname") == hostname
        )
        if twin_id != node_id and (name_of(twin) == name or cut_off):
            if twin["Spec"]["Role"] == "manager":
                update_node(manager, twin_id, lambda spec: spec.update(Role="worker"))
            delete_node(manager, twin_id)
            tell(f"{name}: removed its old entry {twin_id} from the managers' list")


def _leave_old_swarm(
    host: Host, phone: Engine, state: dict[str, Any], props: dict[str, Any]
) -> None:
    if state["ControlAvailable"] and not _is_ours(state, props):
        raise PhoneError(
            f"{host.name} manages another swarm ({cluster_id(state) or 'without a majority'}), "
            "which may be somebody's; run `docker swarm leave --force` on it if that swarm is to go"
        )
    tell(f"{host.name}: leaving a swarm that does not know it as a member of this one")
    phone.post("/swarm/leave", force=True)


def _is_ours(state: dict[str, Any], props: dict[str, Any]) -> bool:
    """Whether a manager speaks of our swarm; one that has lost the others tells no id."""
    if cluster_id(state):
        return cluster_id(state) == props["swarm_id"]
    ours = {manager["address"] for manager in props["managers"]}
    others: list[dict[str, str]] = state.get("RemoteManagers") or []
    return any(other["Addr"].rpartition(":")[0] in ours for other in others)


def _remote_addresses(manager: Engine) -> list[str]:
    nodes = nodes_by_id(manager).values()
    statuses = [node["ManagerStatus"] for node in nodes if node.get("ManagerStatus")]
    return [status["Addr"] for status in statuses if status.get("Reachability") == "reachable"]
