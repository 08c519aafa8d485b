"""The way out where the managers lost their majority and will not come back: one goes on alone."""

from __future__ import annotations

from collections.abc import Callable

from components.members import quorum
from components.members.managers import cluster_id, swarm_state
from components.remote.engine_api import engine
from components.remote.ssh import Host, PhoneError

from . import new_cluster, replaced
from .asking import confirm
from .errors import OperationError
from .labs import Lab
from .nodes import listed_by


def recover(lab: Lab, phone: str, tell: Callable[[str], None], *, yes: bool) -> None:
    """Makes the phone the swarm's only manager, after a question.

    Raises:
        OperationError: the swarm has its majority, the phone is no manager of it, or the answer
            was no.
    """
    host = lab.host(phone)
    _refuse_others(lab, host)
    _refuse_with_majority(host)
    others = [manager.name for manager in lab.managers if manager.name != phone]
    confirm(
        f"{phone} goes on as the only manager of the swarm, from what it knows. If a majority of "
        "the managers can be switched on again, do that instead: nothing is lost then.\n"
        f"The other managers ({', '.join(others) or 'none'}) are managers no more and come back as "
        "workers; leave off those that are off until this is done.",
        yes=yes,
    )
    new_cluster.take_over(lab, host)
    lab.stack.replace_state(replaced.as_workers(lab.stack.export(), others))
    tell(
        f"{phone} leads the swarm alone. Now switch the others on and run "
        f"`make up STACK={lab.stack.name}`: it makes them managers again"
    )


def _refuse_others(lab: Lab, host: Host) -> None:
    with engine(host) as client:
        state = swarm_state(client)
    if not state["ControlAvailable"]:
        raise OperationError(
            f"{host.name} is no manager (its swarm state is {state['LocalNodeState']}); "
            "only a manager has what the swarm needs to go on"
        )
    known = cluster_id(state)
    if known and lab.swarm_id and known != lab.swarm_id:
        raise OperationError(f"{host.name} manages another swarm ({known}), not this lab's")


def _refuse_with_majority(host: Host) -> None:
    try:
        nodes = listed_by(host)
    except PhoneError:
        return
    managers = [node for node in nodes if node.role == "manager"]
    answering = sum(node.reachable for node in managers)
    # A leader goes on giving its list for the moment that it takes to miss the others.
    if answering < quorum.majority(len(managers)):
        return
    raise OperationError(
        f"the swarm has its majority, nothing is to be recovered: {len(managers)} managers need "
        f"{quorum.majority(len(managers))} to answer, and {answering} do"
    )
