"""Phones, surveys and nodes as the operations' tests see them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from components import config
from components.config.lab import Phone
from components.survey import Docker, Survey, SwarmBelief, Wifi
from operations.labs import Lab, hosts
from operations.nodes import Node
from operations.pulumi_cli import PulumiStack


def phone(name: str, role: Any = "worker") -> Phone:
    number = name.rpartition("-")[2]
    return Phone(
        name=name,
        address=f"192.168.8.1{number}",
        role=role,
        ssh_host=f"192.168.8.1{number}",
        ssh_port=22,
        host_key=None,
        labels=MappingProxyType({}),
        availability="active",
    )


def node(name: str, **changes: Any) -> Node:
    """The entry of a member called ``name``, whose id is ``id-NAME``."""
    return replace(
        Node(
            id=f"id-{name}",
            phone=name,
            hostname="lg-hammerhead",
            role="worker",
            state="ready",
            availability="active",
            leader=False,
            reachable=False,
            index=7,
        ),
        **changes,
    )


def manager(name: str, **changes: Any) -> Node:
    return node(name, role="manager", **{"reachable": True, **changes})


def seen(name: str, **changes: Any) -> Survey:
    """A phone that is well and believes to be ``id-NAME``."""
    survey = Survey(
        facts={"memory_mb": "1900", "free_disk_mb": "20000", "architecture": "armv7l"},
        root=True,
        clock_off=0.1,
        docker=Docker(
            state="running",
            at_boot=True,
            awaits_wifi=True,
            user_may_use=True,
            containers=3,
            version="29.5.3",
            daemon_json="{}",
        ),
        swarm=SwarmBelief(
            state="active", node_id=f"id-{name}", manager=False, cluster_id="", error=""
        ),
        wifi=Wifi(device="wlan0", ssid="cloudlet", autoconnect=True, priority=100, signal=71),
        firewall=None,
        free_memory_mb=900,
        battery_percent=80,
        battery_celsius=31.5,
    )
    return replace(survey, **changes)


def lab(folder: Path, roles: Mapping[str, str], *, swarm_id: str = "") -> Lab:
    """A lab called ``lab`` that nobody reaches."""
    values = {
        "phones": json.dumps(
            {name: {"address": phone(name).address, "role": role} for name, role in roles.items()}
        ),
        "ssh": json.dumps({"user": "cloudlet", "privateKeyFile": str(folder / "key")}),
    }
    configured = config.load(values, root=folder)
    return Lab(
        stack=PulumiStack(name="lab", config_file=folder / "Pulumi.lab.yaml"),
        configured=configured,
        hosts=hosts(configured, {}),
        swarm_id=swarm_id,
    )
