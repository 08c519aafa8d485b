"""A swarm that lives in memory, behind the few paths of Docker's API that cloudlet uses."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from components import membership, swarm_init
from components.members import joining, leaving, managers, unlisted
from components.remote.engine_api import EngineError
from components.remote.ssh import Host, UnreachableError

SWARM = "swarm-1"
TOKENS = {"Manager": "token-manager", "Worker": "token-worker"}


@dataclass(kw_only=True)
class Node:
    """A phone, as it sees itself (``swarm``) and as the managers see it.

    ``phone`` is its name in the configuration, the hostname where that is left out; ``address``
    what it told the others, ``heard_at`` where it connects from. A manager ``votes`` a while
    after its promotion.
    """

    hostname: str
    phone: str = ""
    role: str = "worker"
    swarm: str = SWARM
    on: bool = True
    listed: bool = True
    availability: str = "active"
    labels: dict[str, str] = field(default_factory=dict[str, str])
    address: str = ""
    heard_at: str = ""
    remote_managers: tuple[str, ...] = ()
    leads: bool = False
    votes: bool = True

    @property
    def name(self) -> str:
        return self.phone or self.hostname

    def entry(self, key: str) -> dict[str, Any]:
        reachability = "reachable" if self.on else "unreachable"
        manages = {
            "Reachability": reachability,
            "Addr": f"{self.address or self.hostname}:2377",
            "Leader": self.leads,
        }
        return {
            "ID": key,
            "Version": {"Index": 1},
            "Description": {"Hostname": self.hostname},
            "Status": {
                "State": "ready" if self.on and self.swarm == SWARM else "down",
                "Addr": self.heard_at or "0.0.0.0",
            },
            "Spec": {"Role": self.role, "Availability": self.availability, "Labels": self.labels},
            "ManagerStatus": manages if self.role == "manager" and self.votes else None,
        }


class Swarm:
    """Nodes by id. ``log`` has what was asked of the engines, in order; ``bodies`` and
    ``queries`` what came with it; ``tasks`` the states of every node's; ``unlisted`` ids of nodes
    that vote until another leader comes."""

    def __init__(self, **nodes: Node) -> None:
        self.nodes = nodes
        self.log: list[str] = []
        self.bodies: list[Any] = []
        self.queries: list[dict[str, Any]] = []
        self.dockers_run = True
        self.tasks: list[str] = []
        self.unlisted: list[str] = []

    def id_of(self, name: str) -> str:
        return next(
            (key for key, node in self.nodes.items() if node.name == name and node.swarm), ""
        )

    @contextmanager
    def engine(self, host: Host) -> Generator[Engine]:
        if any(node.name == host.name and not node.on for node in self.nodes.values()):
            raise UnreachableError(f"{host.name} does not answer")
        yield Engine(self, host.name)

    @contextmanager
    def any_manager(
        self, hosts: Sequence[Host], swarm_id: str, *, shun: str = ""
    ) -> Generator[Engine]:
        for host in sorted(hosts, key=lambda host: host.name == shun):
            node = self.nodes.get(self.id_of(host.name))
            if node and node.on and node.role == "manager" and node.swarm == swarm_id:
                yield Engine(self, host.name)
                return
        raise managers.NoManagerError("no manager of the swarm answers")

    def patch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in (joining, leaving, swarm_init):
            monkeypatch.setattr(module, "engine", self.engine)
        for module in (membership, swarm_init, unlisted):
            monkeypatch.setattr(module, "any_manager", self.any_manager)
        monkeypatch.setattr(membership, "manager_of", self.manager_of)
        monkeypatch.setattr(membership, "recent", self.recent)
        monkeypatch.setattr(membership, "once", lambda _key, make, _seconds: make())
        monkeypatch.setattr(unlisted, "HEARD_SECONDS", 0.0)
        monkeypatch.setattr(managers.time, "sleep", lambda _seconds: None)

    def recent(self, host: Host) -> Any:
        """What a survey says of the phone's own belief."""
        if any(node.name == host.name and not node.on for node in self.nodes.values()):
            return None
        key = self.id_of(host.name)
        address = self.nodes[key].address if key else ""
        state = "active" if key else "inactive"
        return SimpleNamespace(
            swarm=SimpleNamespace(state=state, node_id=key, address=address),
            docker=SimpleNamespace(state="running" if self.dockers_run else "stopped"),
        )

    def manager_of(self, props: dict[str, Any]) -> Any:
        hosts = [Host.from_inputs(manager) for manager in props["managers"]]
        return self.any_manager(hosts, props["swarm_id"])


class Engine:
    """One phone's engine."""

    def __init__(self, swarm: Swarm, phone: str) -> None:
        self._swarm = swarm
        self.phone = phone

    def get(self, path: str, **_query: Any) -> Any:
        nodes = self._swarm.nodes
        match path.strip("/").split("/"):
            case ["info"]:
                return {"Swarm": self._state()}
            case ["nodes"]:
                return [node.entry(key) for key, node in nodes.items() if node.listed]
            case ["nodes", key]:
                return nodes[key].entry(key)
            case ["swarm"]:
                return {"JoinTokens": TOKENS, "Spec": {}, "Version": {"Index": 1}}
            case ["tasks"]:
                return [{"Status": {"State": state}} for state in self._swarm.tasks]
            case ["services"]:
                return []
        raise AssertionError(path)

    def post(self, path: str, body: Any = None, **query: Any) -> None:
        swarm, key = self._swarm, self._swarm.id_of(self.phone)
        swarm.log.append(f"{self.phone}: POST {path}")
        swarm.bodies.append(body)
        swarm.queries.append(query)
        match path.strip("/").split("/"):
            case ["swarm", "join"]:
                role = {token: name for name, token in TOKENS.items()}[body["JoinToken"]].lower()
                known = next(
                    (node for node in swarm.nodes.values() if node.name == self.phone), None
                )
                swarm.nodes[f"id-{len(swarm.nodes)}"] = Node(
                    hostname=known.hostname if known else self.phone, phone=self.phone, role=role
                )
            case ["swarm", "init"]:
                swarm.nodes["first"] = Node(hostname=self.phone, role="manager")
            case ["swarm", "update"]:
                pass
            case ["swarm", "leave"]:
                swarm.nodes[key].swarm = ""
            case ["nodes", other, "update"]:
                node = swarm.nodes[other]
                if node.leads and body["Role"] == "worker":
                    self._elect(node)
                node.role, node.availability = body["Role"], body["Availability"]
                node.labels = body["Labels"]
            case _:
                raise AssertionError(path)

    def delete(self, path: str, **_query: Any) -> None:
        self._swarm.log.append(f"{self.phone}: DELETE {path}")
        key = path.rpartition("/")[2]
        if self._swarm.nodes[key].role == "manager":
            raise EngineError(self.phone, 400, "is a cluster manager")
        del self._swarm.nodes[key]

    def _elect(self, last: Node) -> None:
        """Another manager leads, and looks at once who votes without being listed."""
        last.leads = False
        managers = [node for node in self._swarm.nodes.values() if node.role == "manager"]
        next(node for node in managers if node is not last and node.listed).leads = True
        self._swarm.unlisted.clear()

    def _state(self) -> dict[str, Any]:
        key = self._swarm.id_of(self.phone)
        node = self._swarm.nodes.get(key)
        if node is None:
            return {"NodeID": "", "LocalNodeState": "inactive", "ControlAvailable": False}
        control = node.role == "manager"
        state = {"NodeID": key, "LocalNodeState": "active", "ControlAvailable": control}
        state["RemoteManagers"] = [{"NodeID": "x", "Addr": addr} for addr in node.remote_managers]
        if node.swarm == SWARM:
            state["RemoteManagers"] += [{"NodeID": key, "Addr": ""} for key in self._swarm.unlisted]
        if not control or node.swarm == "lost":
            return state
        labels = {} if node.swarm == "theirs" else {swarm_init.OURS: "true"}
        return state | {"Cluster": {"ID": node.swarm, "Spec": {"Labels": labels}}}
