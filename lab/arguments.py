"""The docker commands that make a lab, as argument lists. Pure, so that they can be tested."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence

from lab.kinds import Kind
from lab.names import (
    KIND_LABEL,
    LABEL,
    PHONE_LABEL,
    REGISTRY_PORT,
    REGISTRY_PUSH_PORT,
    Lab,
    Phone,
)

# What Docker inside a phone needs, short of --privileged, which also asks for devices and for
# CAP_SYS_RESOURCE: a machine that is itself a container may not have that to give. Older engines
# must be told not to ask for it, and newer ones refuse to drop what they don't have. The clock is
# this machine's own: no phone may set it.
CAPABILITIES = (
    ("--cap-add=ALL", "--cap-drop=SYS_TIME", "--cap-drop=SYS_RESOURCE"),
    ("--cap-add=ALL", "--cap-drop=SYS_TIME"),
    ("--cap-add=ALL",),
)
_MACHINE = (
    "--security-opt=seccomp=unconfined",
    "--security-opt=apparmor=unconfined",
    "--security-opt=systempaths=unconfined",
    "--device-cgroup-rule=a *:* rwm",
)
_INIT = "/usr/local/sbin/phone-init"
MEMORY = "2g"
# Long enough for a phone's init to stop Docker, which stops its containers.
STOP_SECONDS = 20


def network(lab: Lab) -> list[str]:
    """The lab's own network."""
    return [
        "network",
        "create",
        f"--label={LABEL}={lab.name}",
        f"--subnet={lab.subnet}",
        lab.network,
    ]


def volume(lab: Lab, phone: Phone) -> list[str]:
    """The disk of a phone's Docker."""
    return ["volume", "create", f"--label={LABEL}={lab.name}", phone.volume]


def probe(image: str, capabilities: Sequence[str]) -> list[str]:
    """Ends well if the engine can run a phone with these capabilities."""
    return ["run", "--rm", "--network=none", *capabilities, *_MACHINE, image, "true"]


def phone(lab: Lab, phone: Phone, kind: Kind, image: str, capabilities: Sequence[str]) -> list[str]:
    """`capabilities`: the first of CAPABILITIES for which `probe` ends well."""
    published = [f"--publish={lab.loopback}:{out}:{inside}" for out, inside in phone.ports.items()]
    return [
        "run",
        "--detach",
        f"--name={phone.container}",
        f"--hostname={phone.name}",
        f"--label={LABEL}={lab.name}",
        f"--label={PHONE_LABEL}={phone.name}",
        f"--label={KIND_LABEL}={'+'.join(kind.words)}",
        f"--network={lab.network}",
        f"--ip={phone.address}",
        *published,
        f"--memory={MEMORY}",
        f"--memory-swap={MEMORY}",
        f"--stop-timeout={STOP_SECONDS}",
        # What systemd takes for the power button; OpenRC's init takes Docker's own SIGTERM.
        *(["--stop-signal=SIGRTMIN+3"] if kind.has_systemd else []),
        # A reboot ends the container; a phone that was switched off stays off.
        "--restart=unless-stopped",
        *capabilities,
        *_MACHINE,
        # As on a machine: what is in /run does not outlive a boot.
        "--tmpfs=/run:exec,mode=755",
        # Docker's overlay file system can't lie on the container's own.
        f"--volume={phone.volume}:/var/lib/docker",
        image,
        _INIT,
        *kind.words,
    ]


def registry(lab: Lab, image: str, storage: str, user: str) -> list[str]:
    """The registry; `storage` is a folder of this machine, `user` its owner as uid:gid."""
    return [
        "run",
        "--detach",
        f"--name={lab.registry}",
        "--hostname=registry",
        f"--label={LABEL}={lab.name}",
        f"--network={lab.network}",
        f"--ip={lab.registry_address}",
        f"--publish={lab.loopback}:{REGISTRY_PUSH_PORT}:{REGISTRY_PORT}",
        # The storage is in the checkout: its files must belong to who owns that.
        f"--user={user}",
        f"--volume={storage}:/var/lib/registry",
        image,
    ]


def colliding(subnet: str, networks: Mapping[str, Iterable[str]]) -> list[str]:
    """The names among `networks` (name to subnets) that share addresses with `subnet`."""
    wanted = ipaddress.ip_network(subnet)
    return [
        name
        for name, subnets in networks.items()
        if any(wanted.overlaps(each) for each in map(ipaddress.ip_network, subnets))
    ]
