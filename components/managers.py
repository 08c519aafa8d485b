"""Talking to a swarm through any of its managers that answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import pulumi

from .engine_api import Engine, EngineError, engine
from .ssh import Host, PhoneError

ELECTION_SECONDS = 20.0
LEADERLESS = "the managers have no leader: their majority is lost"


@dataclass(frozen=True, kw_only=True)
class Access:
    """How our dynamic resources reach a swarm: its id, and each manager's host properties."""

    swarm_id: pulumi.Output[str]
    managers: list[pulumi.Output[dict[str, Any]]]

    def to_inputs(self) -> dict[str, Any]:
        """Properties of a dynamic resource, which :func:`manager_of` takes."""
        return {"managers": self.managers, "swarm_id": self.swarm_id}


def manager_of(props: Mapping[str, Any]) -> AbstractContextManager[Engine]:
    """:func:`any_manager` of the swarm that a dynamic resource's properties name."""
    hosts = [Host.from_inputs(manager) for manager in props["managers"]]
    return any_manager(hosts, props["swarm_id"])


@contextmanager
def any_manager(hosts: Sequence[Host], swarm_id: str) -> Generator[Engine]:
    """The engine of the first of ``hosts`` that manages the swarm ``swarm_id``.

    Managers without a leader are waited for: after a restart they elect one within seconds.

    Raises:
        PhoneError: none does; the message has each one's reason.
    """
    deadline = time.monotonic() + ELECTION_SECONDS
    while True:
        reasons: list[str] = []
        for host in hosts:
            opened = engine(host)
            try:
                client = opened.__enter__()
            except PhoneError as error:
                reasons.append(str(error))
                continue
            try:
                reason = _not_manager(client, swarm_id)
                if reason is None:
                    yield client
                    return
                reasons.append(f"{host.name}: {reason}")
            finally:
                opened.__exit__(None, None, None)
        if time.monotonic() > deadline or not any(LEADERLESS in reason for reason in reasons):
            raise PhoneError("no manager of the swarm answers: " + "; ".join(reasons))
        time.sleep(1)


def _not_manager(client: Engine, swarm_id: str) -> str | None:
    """Why this engine does not speak for the swarm, or ``None`` if it does."""
    try:
        state = swarm_state(client)
        if not state["ControlAvailable"]:
            return f"is not a manager (its swarm state is {state['LocalNodeState']})"
        if not cluster_id(state):
            return LEADERLESS
        if cluster_id(state) != swarm_id:
            return f"manages another swarm ({cluster_id(state)})"
        # A manager without a majority answers /info but nothing that asks the others.
        client.get("/swarm")
    except EngineError as error:
        return LEADERLESS if error.status in (500, 503) else error.reason
    except PhoneError as error:
        return str(error)
    return None


def swarm_state(client: Engine) -> dict[str, Any]:
    """``Swarm`` of Docker's ``/info``: what the phone itself believes."""
    return client.get("/info")["Swarm"]


def cluster_id(state: dict[str, Any]) -> str:
    """The swarm's id; empty on a worker, which is not told, and where there is no leader."""
    cluster: dict[str, Any] = state.get("Cluster") or {}
    return cluster.get("ID", "")


def nodes_by_id(client: Engine) -> dict[str, dict[str, Any]]:
    """Every node that the managers list, as Docker's ``GET /nodes`` has it."""
    return {node["ID"]: node for node in client.get("/nodes")}


def update_spec(
    client: Engine,
    path: str,
    change: Callable[[dict[str, Any]], None],
    *,
    even_unchanged: bool = False,
) -> None:
    """Applies ``change`` to the spec of a node or service, so that nothing else reaches Swarm.

    Done again where somebody else was quicker. What ``change`` leaves as it was is not sent, but
    for ``even_unchanged``: to send a spec again lets a paused update of a service go on.
    """
    for attempt in range(5):
        item = client.get(path)
        spec = item["Spec"]
        before = repr(spec)
        change(spec)
        if repr(spec) == before and not even_unchanged:
            return
        try:
            client.post(f"{path}/update", spec, version=item["Version"]["Index"])
            return
        except EngineError as error:
            if "out of sequence" not in error.reason or attempt == 4:
                raise


def update_node(client: Engine, node_id: str, change: Callable[[dict[str, Any]], None]) -> None:
    """:func:`update_spec` of a node."""
    update_spec(client, f"/nodes/{node_id}", change)


def delete_node(client: Engine, node_id: str) -> None:
    """Takes a node off the list; a demoted manager can be taken off a moment later only."""
    for attempt in range(20):
        try:
            client.delete(f"/nodes/{node_id}", force=True)
            return
        except EngineError as error:
            if error.status == 404:
                return
            if attempt == 19:
                raise
            time.sleep(0.5)


def wait_until(done: Callable[[], bool], seconds: float, *, every: float = 0.25) -> bool:
    """Whether ``done`` became true within ``seconds``."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True
