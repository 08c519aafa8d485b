"""What a simulated phone is like, whichever init it has."""

from __future__ import annotations

from labkit import Lab


def has_systemd(lab: Lab, phone: str) -> bool:
    return lab.on(phone, "cat /proc/1/comm").strip() == "systemd"


def switch(lab: Lab, phone: str, action: str, service: str) -> None:
    """``start`` or ``stop`` a service, whatever the phone's init."""
    if has_systemd(lab, phone):
        # A service that its socket may start again has not been stopped.
        units = [service, f"{service}.socket"] if action == "stop" else [service]
        lab.on(phone, f"systemctl --quiet {action} {' '.join(units)} 2>&1")
    else:
        lab.on(
            phone,
            f"rc-service --quiet --if{'not' if action == 'start' else ''}started "
            f"{service} {action}",
        )


def runs(lab: Lab, phone: str, service: str) -> bool:
    ask = (
        f"systemctl is-active {service}"
        if has_systemd(lab, phone)
        else f"rc-service {service} status"
    )
    return lab.on(phone, f"{ask} >/dev/null 2>&1 && echo yes || echo no").strip() == "yes"


def started_at_boot(lab: Lab, phone: str) -> str:
    """Every service that the phone starts by itself."""
    if has_systemd(lab, phone):
        return lab.on(phone, "systemctl list-unit-files --state=enabled --no-legend | sort")
    return lab.on(phone, "rc-update show")


def snapshot(lab: Lab, phone: str) -> dict[str, str]:
    """What `destroy` must leave as it was: files under /etc, boot entries, groups, Docker.

    Left out is what the promise leaves out: the key and the rule that let the controller in, and
    wifi.
    """
    etc = (
        "find /etc -type f ! -name '*-' ! -path '/etc/sudoers.d/*cloudlet*' "
        "! -path '/etc/doas.d/*cloudlet*' "
        "! -name resolv.conf -exec sha256sum {} + | sort -k 2"
    )
    return {
        "files under /etc": lab.on(phone, etc),
        "boot entries": started_at_boot(lab, phone),
        "groups": lab.on(phone, "id cloudlet"),
        "record": lab.on(phone, "ls /var/lib/cloudlet 2>/dev/null || true"),
        "firewall": lab.on(phone, "nft list table inet filter 2>/dev/null || true"),
        "docker": "on" if runs(lab, phone, "docker") else "off",
    }


def docker_inventory(lab: Lab, phone: str) -> dict[str, str]:
    """Containers, networks and swarm state; Docker is started for the question only."""
    switch(lab, phone, "start", "docker")
    try:
        lab.on(
            phone, "for i in $(seq 20); do docker info >/dev/null 2>&1 && break; sleep 0.5; done"
        )
        return {
            "containers": lab.on(phone, "docker ps -aq"),
            "networks": lab.on(phone, "docker network ls --format '{{.Name}}' | sort"),
            "swarm": lab.on(phone, "docker info --format '{{.Swarm.LocalNodeState}}'"),
        }
    finally:
        switch(lab, phone, "stop", "docker")
