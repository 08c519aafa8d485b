"""A swarm of three managers and a worker, and what a membership's provider is given of it."""

from __future__ import annotations

from typing import Any

import pytest
from fake_swarm import SWARM, Node, Swarm

from components.membership import MembershipProvider
from components.remote.ssh import Host

PROVIDER = MembershipProvider()


def host(name: str) -> dict[str, Any]:
    return Host(name=name, host=name, port=22, user="u", key_file="k").to_inputs()


def props(name: str, role: str = "worker", **changes: Any) -> dict[str, Any]:
    managers = [{**host(f"m{n}"), "address": f"10.0.1.{n}"} for n in (1, 2, 3)]
    return {
        "phone": host(name),
        "address": f"10.0.0.{name[-1]}",
        "managers": managers,
        "leaders": ["m1", "m2", "m3"],
        "swarm_id": SWARM,
        "role": role,
        "availability": "active",
        "labels": {"shelf": "top", "cloudlet.phone": name},
        "state": "ready",
        **changes,
    }


def three_managers(monkeypatch: pytest.MonkeyPatch) -> Swarm:
    """Three managers and a worker."""
    made = Swarm(
        a=Node(hostname="m1", role="manager"),
        b=Node(hostname="m2", role="manager"),
        c=Node(hostname="m3", role="manager"),
        d=Node(hostname="w1"),
    )
    for node in made.nodes.values():
        node.labels = {"cloudlet.phone": node.name}
    made.patch(monkeypatch)
    return made
