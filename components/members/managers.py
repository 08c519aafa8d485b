"""Talking to a swarm through any of its managers that answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import pulumi

from components.dial import LEADERLESS, no_answer
from components.remote.engine_api import Engine, EngineError, engine
from components.remote.ssh import Host, PhoneError, UnreachableError
from components.services.placement import PHONE_LABEL

ELECTION_SECONDS = 20.0
# A second manager beside the only one leaves them without a leader for a part of a second.
ELECTION_LOOK_SECONDS = 0.25
# Each try to reach a phone that is off costs as long as a dial may take.
AVOID_SECONDS = 30.0

# What this process found out; the resources of one run share it. Until when a phone is taken to be
# silent and why, by host and port; by swarm, the name of the manager that answered last, and until
# when its managers, which had no leader for long, are not waited for again.
_silent: dict[tuple[str, int], tuple[float, str]] = {}
_last: dict[str, str] = {}
_lost: dict[str, float] = {}
# The newest record of who is to be asked: see :func:`also_ask`.
_also: list[Mapping[str, Any]] = []


class NoManagerError(PhoneError):
    """No manager of the swarm answers, or those that do have lost their majority."""


@dataclass(frozen=True, kw_only=True)
class Access:
    """How our dynamic resources reach a swarm: its id, and each manager's host properties."""

    swarm_id: pulumi.Output[str]
    managers: pulumi.Output[list[dict[str, Any]]]

    def to_inputs(self) -> dict[str, Any]:
        """Properties of a dynamic resource, which :func:`manager_of` takes."""
        return {"managers": self.managers, "swarm_id": self.swarm_id}


def manager_of(props: Mapping[str, Any]) -> AbstractContextManager[Engine]:
    """:func:`any_manager` of the swarm that a dynamic resource's properties name."""
    return any_manager(hosts_of(props), props["swarm_id"])


def hosts_of(props: Mapping[str, Any]) -> list[Host]:
    """The hosts in ``managers`` of a dynamic resource's properties, then the newer ones.

    A resource that goes has the properties of the run before: the managers that it names may all
    have been replaced in this one.
    """
    given: list[Mapping[str, Any]] = props["managers"]
    names = {manager["name"] for manager in given}
    newer = [manager for manager in _also if manager["name"] not in names]
    return [Host.from_inputs(manager) for manager in (*given, *newer)]


def also_ask(recorded: Sequence[Mapping[str, Any]]) -> None:
    """Makes the managers of the lab's record known to all resources of this run."""
    _also[:] = recorded


@contextmanager
def any_manager(hosts: Sequence[Host], swarm_id: str, *, shun: str = "") -> Generator[Engine]:
    """The engine of one of ``hosts`` that manages the swarm ``swarm_id``.

    The one that did last is asked first, and the phone called ``shun`` only after all others: for
    whoever is about to end its being a manager. Managers without a leader are waited for: after a
    restart they elect one within seconds. A phone found silent is left out for a while.

    Raises:
        NoManagerError: none does; the message has each one's reason, and what to do about it.
    """
    started = time.monotonic()
    deadline = started + (ELECTION_SECONDS if started >= _lost.get(swarm_id, 0.0) else 0.0)
    while True:
        reasons = {host.name: _silence(host) for host in hosts}
        last = _last.get(swarm_id)
        asked = [host for host in hosts if not reasons[host.name]] or list(hosts)
        for host in sorted(asked, key=lambda host: (host.name == shun, host.name != last)):
            opened = engine(host)
            try:
                client = opened.__enter__()
            except PhoneError as error:
                reasons[host.name] = str(error)
                if isinstance(error, UnreachableError):
                    _silent[host.host, host.port] = time.monotonic() + AVOID_SECONDS, str(error)
                continue
            try:
                reason = _not_manager(client, swarm_id)
                if reason is None:
                    _last[swarm_id] = host.name
                    yield client
                    return
                reasons[host.name] = f"{host.name}: {reason}"
            finally:
                opened.__exit__(None, None, None)
        leaderless = any(reason.endswith(LEADERLESS) for reason in reasons.values())
        if time.monotonic() >= deadline or not leaderless:
            if leaderless:
                _lost[swarm_id] = time.monotonic() + AVOID_SECONDS
            raise NoManagerError(no_answer(filter(None, reasons.values()), leaderless=leaderless))
        time.sleep(ELECTION_LOOK_SECONDS)


def _silence(host: Host) -> str:
    """Why the phone was silent a moment ago; empty if it was not."""
    until, reason = _silent.get((host.host, host.port), (0.0, ""))
    return reason if time.monotonic() < until else ""


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


def name_of(node: Mapping[str, Any]) -> str:
    """The phone's name in the configuration; for a node that cloudlet never labelled, its id.

    Not the hostname: phones of one kind come with the same.
    """
    labels: dict[str, str] = node["Spec"].get("Labels") or {}
    return labels.get(PHONE_LABEL) or node["ID"]


def managers_seen(client: Engine) -> dict[str, str]:
    """How the managers see each other: ``reachable``, ``unreachable`` or ``unknown``, by name."""
    return {
        name_of(node): node["ManagerStatus"]["Reachability"]
        for node in nodes_by_id(client).values()
        if node.get("ManagerStatus")
    }


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
