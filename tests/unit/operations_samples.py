"""Phones, surveys and nodes as the operations' tests see them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from components import config
from components.config.lab import Phone
from components.phones.survey import Docker, Survey, SwarmBelief, Wifi
from operations.archive import Backup
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
            lost_rules=False,
            containers=3,
            version="29.5.3",
            daemon_json="{}",
        ),
        swarm=SwarmBelief(
            state="active",
            node_id=f"id-{name}",
            address="",
            manager=False,
            cluster_id="",
            error="",
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


def a_backup(**changes: Any) -> Backup:
    """A backup of the lab called ``lab``, taken from phone-1, which is the node ``id-phone-1``."""
    made = Backup(
        made=datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
        stack="lab",
        phone="phone-1",
        swarm_id="ours",
        node_id="id-phone-1",
        configuration="config:\n  cloudlet:routing: host\n",
        state={"version": 3, "deployment": {"resources": state_of("phone-1", "phone-2")}},
        swarm=b"raft-keys",
    )
    return replace(made, **changes)


def host_key(phone: str) -> str:
    return f"ssh-ed25519 AAAA-key-of-{phone}"


def state_of(*phones: str) -> list[dict[str, Any]]:
    """Resources of an exported state: what each phone has, and things that depend on it."""
    resources: list[dict[str, Any]] = [
        {
            "urn": "urn:pulumi:lab::cloudlet::pulumi:pulumi:Stack::cloudlet-lab",
            "type": "pulumi:pulumi:Stack",
            "outputs": {"phones": {phone: {"hostKey": host_key(phone)} for phone in phones}},
        }
    ]
    for phone in phones:
        component = f"urn:pulumi:lab::cloudlet::cloudlet:index:Phone::{phone}"
        resources += [
            {"urn": component, "type": "cloudlet:index:Phone"},
            _dynamic("Contact", f"{phone}-contact", parent=component),
            _dynamic("Condition", f"{phone}-condition", parent=component),
        ]
    contacts = [_urn("Contact", f"{phone}-contact") for phone in phones]
    resources.append(_dynamic("SwarmInit", "swarm-init", dependencies=contacts))
    for phone in phones:
        resources.append(
            _dynamic(
                "Membership",
                f"swarm-{phone}",
                inputs={"phone": {"name": phone}},
                dependencies=[*contacts, _urn("SwarmInit", "swarm-init")],
            )
        )
    members = [_urn("Membership", f"swarm-{phone}") for phone in phones]
    resources.append(
        {
            "urn": "urn:pulumi:lab::cloudlet::pulumi:providers:docker::entry",
            "type": "pulumi:providers:docker",
            "inputs": {"sshOpts": [host_key(phone).split()[1] for phone in phones]},
            "dependencies": members,
            "propertyDependencies": {"sshOpts": members, "host": None},
            **({"deletedWith": members[0]} if members else {}),
        }
    )
    return resources


def _urn(kind: str, name: str) -> str:
    return f"urn:pulumi:lab::cloudlet::pulumi-python:dynamic/cloudlet:{kind}::{name}"


def _dynamic(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "urn": _urn(kind, name),
        "type": f"pulumi-python:dynamic/cloudlet:{kind}",
        "inputs": {},
        **more,
    }
