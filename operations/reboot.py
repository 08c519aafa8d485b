"""The drill: a phone is rebooted and must be back in the swarm by itself, in time."""

from __future__ import annotations

import time
from collections.abc import Callable

from components.dynamic import run_script
from components.members import quorum
from components.members.managers import swarm_state
from components.remote.engine_api import Engine
from components.remote.ssh import Host, PhoneError, UnreachableError, connect

from .errors import OperationError
from .labs import Lab
from .nodes import Node, listed

SECONDS = 60.0
ANSWER_SECONDS = 5.0


def drill(lab: Lab, phone: str, tell: Callable[[str], None], seconds: float = SECONDS) -> float:
    """Reboots the phone; after how many seconds it was a ready member again.

    Raises:
        OperationError: it was no member before, or is not back within ``seconds``: with what is
            still missing.
    """
    host = lab.host(phone)
    # What the phone says of itself proves nothing, but of a swarm's only manager.
    managers = [manager for manager in lab.managers if manager.name != phone] or [host]
    with connect(host) as session:
        booted = run_script(session, "boot_identity.sh", root=False)
        node_id = swarm_state(Engine(session))["NodeID"]
        before = _entry(managers, node_id)
        if before is None:
            raise OperationError(f"{phone} is no member of the swarm; `make up` makes it one")
        _warn(listed(managers), before, tell)
        tell(f"{phone}: rebooting")
        started = time.monotonic()
        run_script(session, "reboot.sh")
    missing = ""
    while time.monotonic() - started < seconds:
        time.sleep(0.5)
        now = _missing(host, managers, booted=booted, before=before)
        took = time.monotonic() - started
        if not now:
            return took
        if now != missing:
            tell(f"{took:5.1f} s  {now}")
            missing = now
    raise OperationError(
        f"{phone} is not back in the swarm {seconds:.0f} s after its reboot: {missing}"
    )


def _missing(host: Host, managers: list[Host], *, booted: str, before: Node) -> str:
    """What the phone still lacks to be back; nothing where it is."""
    try:
        with connect(host) as session:
            if run_script(session, "boot_identity.sh", root=False) == booted:
                return f"{host.name} has not gone down yet"
            state = swarm_state(Engine(session, ANSWER_SECONDS))
        if state["LocalNodeState"] != "active":
            error = state.get("Error")
            return f"its swarm state is {state['LocalNodeState']}" + (f": {error}" if error else "")
        if state["NodeID"] != before.id:
            return f"it is node {state['NodeID']} now and was {before.id}"
        now = _entry(managers, before.id)
    except UnreachableError:
        # Why changes from moment to moment while it goes down and comes up.
        return f"{host.name} does not answer at {host.host}:{host.port}"
    except (PhoneError, OperationError) as error:
        return str(error)
    if now is None:
        return "the managers do not list it any more"
    # The entry of before the reboot still says ready until the managers miss the phone.
    if now.index == before.index:
        return "the managers have not heard from it yet"
    if now.state != "ready":
        return f"the managers list it as {now.state}"
    if now.role == "manager" and not now.reachable:
        return "the other managers do not reach it yet"
    return ""


def _entry(managers: list[Host], node_id: str) -> Node | None:
    return next((node for node in listed(managers) if node.id == node_id), None)


def _warn(nodes: list[Node], going: Node, tell: Callable[[str], None]) -> None:
    managers = {node.id for node in nodes if node.role == "manager"}
    answering = {node.id for node in nodes if node.reachable} - {going.id}
    if going.id in managers and len(answering) < quorum.majority(len(managers)):
        tell(
            f"Meanwhile the swarm takes no orders: {len(managers)} managers need "
            f"{quorum.majority(len(managers))} to answer; what runs goes on"
        )
