"""The image that all of the lab's images are built on: Debian 13, slim.

Pulled where a registry can be reached, else made with mmdebstrap. What the lab makes or pulls is
called cloudlet-lab/..., so that `lab down` removes that and nothing else.
"""

from __future__ import annotations

import re

from lab.docker import Docker
from lab.errors import LabError
from lab.system import Log

OFFICIAL = "debian:trixie-slim"
OWN = "cloudlet-lab/debian:trixie-slim"
SUITE = "trixie"
_PULL_SECONDS = 90
# Docker takes an image that it imports for one of its own architecture.
_PLATFORMS = {"armhf": ("--platform=linux/arm/v7",), "arm64": ("--platform=linux/arm64",)}


def ensure_base(docker: Docker, log: Log) -> str:
    """The reference to build on."""
    for reference in (OFFICIAL, OWN):
        if docker.has_image(reference):
            return reference
    log(f"base image: pulling {OFFICIAL}")
    pulled = docker.try_run("pull", "--quiet", OFFICIAL, timeout=_PULL_SECONDS)
    if pulled.ok:
        docker.run("tag", OFFICIAL, OWN)
        docker.run("rmi", OFFICIAL)
        return OWN
    log("base image: it can't be pulled here, so it is made with mmdebstrap (about 20 s)")
    bootstrap(docker, log)
    return OWN


def bootstrap(docker: Docker, log: Log, *, architecture: str = "", tag: str = OWN) -> None:
    """Makes the base image of Debian's packages, for another `architecture` (Debian's word) only
    where this machine runs its programs by emulation."""
    system = docker.system
    root = [] if system.is_root() else ["sudo"]
    if root and system.which("sudo") is None:
        raise LabError(f"{OFFICIAL} can be neither pulled nor made without root or sudo")
    if system.which("mmdebstrap") is None:
        if system.which("apt-get") is None:
            raise LabError(
                f"{OFFICIAL} can't be pulled, and without apt-get it can't be made: load it with "
                "docker load, then try again"
            )
        log("base image: installing the package mmdebstrap, which makes it")
        apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
        for step in (["update"], ["install", "--no-install-recommends", "mmdebstrap"]):
            done = system.run([*apt, *step])
            if not done.ok:
                raise LabError(f"apt-get {step[0]} failed: {done.last_line}")
    # The machine's own mirror may be the only one that it can reach.
    targets = system.run(
        [
            "apt-get",
            "indextargets",
            "--format",
            "$(ORIGIN) $(SUITE) $(REPO_URI)",
            "Created-By: Packages",
        ]
    )
    source = debian_mirror(targets.out)
    made = system.pipe(
        [
            *(*root, "mmdebstrap", "--variant=minbase", "--components=main", "--quiet"),
            *([f"--architectures={architecture}"] if architecture else []),
            *(SUITE, "-"),
            *([f"deb {source} {SUITE} main"] if source else []),
        ],
        [*docker.command, "import", *_PLATFORMS.get(architecture, ()), "-", tag],
    )
    if not made.ok:
        raise LabError(f"the base image could not be made: {made.last_line}")


def debian_mirror(targets: str) -> str | None:
    """The Debian mirror among apt's index targets (lines of origin, suite, address)."""
    for line in targets.splitlines():
        match = re.fullmatch(r"Debian (\S+) (https?://\S+)", line.strip())
        # Security and backports are other archives: they don't hold a whole system.
        if match and "security" not in match[1] + match[2] and "backports" not in match[1]:
            return match[2].rstrip("/")
    return None
