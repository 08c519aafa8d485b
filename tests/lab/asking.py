"""What tests of phones ask of them, and of Pulumi about them."""

from __future__ import annotations

import re
import subprocess
from typing import Any

from labkit import NAME, ROOT, Lab, Run
from phonekit import snapshot

from components import wifi
from components.remote.ssh import Host

WIFI_PASSWORD = "my-secure-password"
# A line of Pulumi's about a resource that is changed; those that are only read are left out.
CHANGE = re.compile(r"^ *[~+-]+ +\S+:\S+ (\S+) (?:create|update|delete|replace)\b", re.MULTILINE)


def container(phone: str) -> str:
    return f"cloudlet-{NAME}-{phone}"


def host_of(lab: Lab, phone: str) -> Host:
    where = lab.value("phones")[phone]["ssh"]
    key = ROOT / lab.value("ssh")["privateKeyFile"]
    return Host(
        name=phone, host=where["host"], port=where["port"], user="cloudlet", key_file=str(key)
    )


def whole(lab: Lab, phone: str) -> dict[str, str]:
    """All that a script of ours could change on a phone, running programs included."""
    return {
        **snapshot(lab, phone),
        "profiles": lab.on(phone, "nmcli -s -t connection show | sort"),
        "active": lab.on(
            phone, "nmcli -s connection show cloudlet | grep -Ev '^GENERAL|timestamp'"
        ),
        "rules": lab.on(phone, "nft list ruleset 2>/dev/null | sed 's/packets.*bytes [0-9]*//'"),
        "dockerd": lab.on(phone, "pidof dockerd"),
        "record": lab.on(phone, "cat /var/lib/cloudlet/*"),
        "keys": lab.on(phone, "cat /home/cloudlet/.ssh/authorized_keys"),
    }


def changed(done: Run) -> set[str]:
    return set(CHANGE.findall(done.output))


def ready(lab: Lab, phone: str) -> bool:
    """Whether the phone is up and a manager lists it as a member that is there."""
    try:
        own = lab.on(phone, "docker info --format '{{.Swarm.LocalNodeState}}'").strip()
        listed = lab.on("phone-1", "docker node ls --format '{{.Hostname}} {{.Status}}'")
    except (AssertionError, subprocess.TimeoutExpired):
        return False
    return own == "active" and f"{phone} Ready" in listed.splitlines()


def join(lab: Lab, phone: str, ssid: str, password: str = WIFI_PASSWORD) -> None:
    settings: dict[str, Any] = {**wifi.wifi_settings(ssid, [], None), "password": password}
    wifi.join(host_of(lab, phone), settings)
