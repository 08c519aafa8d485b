"""The `config:` block of a Pulumi stack file that describes a lab."""

from __future__ import annotations

import json

from lab.names import USER, Lab

_MANAGERS = 3


def block(lab: Lab, count: int) -> str:
    """YAML for `count` phones: three managers if there are as many phones, else one."""
    managers = _MANAGERS if count >= _MANAGERS else 1
    lines = ["config:", "  cloudlet:phones:"]
    for number, phone in enumerate(lab.phones(count), 1):
        role = "manager" if number <= managers else "worker"
        # The last phone keeps the data: where it is a worker, no manager has to.
        labels = ', labels: {storage: "true"}' if number == count else ""
        lines.append(
            f"    {phone.name}: {{address: {phone.address}, role: {role}, "
            f"ssh: {{host: {lab.loopback}, port: {phone.ssh_port}}}{labels}}}"
        )
    lines += [
        f"  cloudlet:ssh: {{user: {USER}, privateKeyFile: .cloudlet/labs/{lab.name}/id_ed25519}}",
        "  cloudlet:wifi: {ssid: cloudlet, forget: [ut-public]}",
        f"  cloudlet:entryAddress: {lab.loopback}",
        f"  cloudlet:engine: {{registryMirror: {json.dumps(lab.mirror)}}}",
    ]
    return "\n".join(lines) + "\n"
