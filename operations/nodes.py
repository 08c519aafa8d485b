"""The swarm's members as its managers list them: what anybody else believes counts for nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from components.members.managers import PHONE_LABEL, nodes_by_id
from components.remote.engine_api import engine
from components.remote.ssh import Host, PhoneError

from .parallel import first_to_tell

LIST_SECONDS = 8.0
# What a manager tells, in the sentence that none does.
WHAT = "who is in the swarm"


@dataclass(frozen=True, kw_only=True)
class Node:
    """One entry of the list.

    ``phone`` is the phone's name in its lab, empty for a node that cloudlet did not make a member.
    ``state`` is ready, down, unknown or disconnected. ``reachable`` is whether the other managers
    hear it, which says nothing of a worker. ``index`` grows with every change of the entry.
    """

    id: str
    phone: str
    hostname: str
    role: str
    state: str
    availability: str
    leader: bool
    reachable: bool
    index: int


def parse(nodes: Iterable[dict[str, Any]]) -> list[Node]:
    """The entries of Docker's ``GET /nodes``."""
    parsed: list[Node] = []
    for node in nodes:
        manages: dict[str, Any] = node.get("ManagerStatus") or {}
        labels: dict[str, str] = node["Spec"].get("Labels") or {}
        parsed.append(
            Node(
                id=node["ID"],
                phone=labels.get(PHONE_LABEL, ""),
                hostname=node["Description"].get("Hostname", ""),
                role=node["Spec"]["Role"],
                state=node["Status"]["State"],
                availability=node["Spec"]["Availability"],
                leader=manages.get("Leader", False),
                reachable=manages.get("Reachability") == "reachable",
                index=node["Version"]["Index"],
            )
        )
    return parsed


def listed_by(host: Host, seconds: float = LIST_SECONDS) -> list[Node]:
    """The list as this manager has it.

    Raises:
        PhoneError: it does not answer, is no manager, or the managers have no majority.
    """
    with engine(host, seconds) as client:
        return parse(nodes_by_id(client).values())


def listed(managers: Sequence[Host], seconds: float = LIST_SECONDS) -> list[Node]:
    """The list as the first of ``managers`` has it that gives one; all are asked at once.

    Raises:
        OperationError: none does; the message has each one's reason.
    """
    return first_to_tell(managers, listed_by, seconds, WHAT)[1]


def first_list(answers: Iterable[list[Node] | PhoneError]) -> list[Node] | None:
    """The first answer that is a list."""
    return next((answer for answer in answers if not isinstance(answer, PhoneError)), None)
