"""Images that a stack builds, on the lab's phones: the stack, and what builders need here."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from labkit import NAME, ROOT, Lab, LabNames, Run

from components.registry import CONTAINER
from lab import base
from lab.docker import Docker
from lab.images import IMAGES, build
from lab.images.building import pack
from lab.images.catalogue import PackedImage

HELLO = ROOT / "stacks" / "hello"
BUSYBOX = "docker.io/library/busybox:1"
# The one with a firewall.
HOLDER = "phone-4"
REGISTRY = {"phone": HOLDER}
PLACE = f"{LabNames(name=NAME).phone_named(HOLDER).address}:5080"
# Everywhere at once, so that a change reaches all phones as soon as it can.
STACK = """
services:
  web:
    build: {context: page}
    init: true
    environment: {PHONE: "{{.Node.Hostname}}"}
    deploy: {mode: global, update_config: {parallelism: 0, monitor: 1s}}
"""


def ensure_builder() -> None:
    """A machine that builds no images yet is given Debian's builder."""
    buildx = subprocess.run(["docker", "buildx", "version"], capture_output=True, check=False)
    if buildx.returncode != 0 and shutil.which("buildah") is None:
        install("buildah")


def install(*packages: str) -> None:
    environment = {"DEBIAN_FRONTEND": "noninteractive", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(
            ["apt-get", "-qq", *command],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


class Page:
    """The example of stacks/hello in a folder of the test's own, as the stack ``page``."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        shutil.copytree(HELLO, folder / "page")
        self.text = STACK

    def greet(self, words: str) -> None:
        """Changes one line of the page."""
        script = self.folder / "page" / "www" / "cgi-bin" / "index.cgi"
        script.write_text(re.sub("<h1>.* from", f"<h1>{words} from", script.read_text()))

    def configure(self, **changes: Any) -> None:
        (self.folder / "page.yml").write_text(self.text)
        stacks = {"page": {"file": str(self.folder / "page.yml")}}
        self.lab.configure(**{"stacks": stacks, "registry": REGISTRY, **changes})

    def up(self, **changes: Any) -> Run:
        self.configure(**changes)
        return self.lab.up()

    def says(self, phone: str) -> str:
        """The page as the phone's own task serves it; nothing where there is none."""
        task = "$(docker ps -q -f label=com.docker.swarm.service.name=page_web | head -n 1)"
        get = f"docker exec {task} wget -q -O - http://127.0.0.1:8080/"
        return self.lab.on(phone, f"{get} || true")

    def image(self) -> str:
        """What Swarm was told to run."""
        form = "{{.Spec.TaskTemplate.ContainerSpec.Image}}"
        return self.lab.on("phone-1", f"docker service inspect -f '{form}' page_web").strip()

    def manifests(self, image: str) -> dict[str, Any]:
        """What the registry has under that name, as a phone gets it."""
        return json.loads(self.lab.on("phone-3", f"docker manifest inspect --insecure {image}"))


def sent_by_outside() -> int:
    """Bytes that the lab's own registry, which is Docker Hub to its phones, has sent so far."""
    return _sent("docker", "exec", f"cloudlet-{NAME}-registry")


def sent_by_cache(phone: str) -> int:
    """Bytes that the registry on a phone has sent so far."""
    return _sent("docker", "exec", f"cloudlet-{NAME}-{phone}", "docker", "exec", CONTAINER)


def _sent(*where: str) -> int:
    command = [*where, "cat", "/sys/class/net/eth0/statistics/tx_bytes"]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def with_emulation() -> None:
    """This machine runs programs for 32-bit ARM, as one with Debian's qemu-user-static does."""
    formats = Path("/proc/sys/fs/binfmt_misc")
    if not (formats / "register").exists():
        subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", formats], check=True)
    if not (formats / "qemu-arm").exists():
        install("qemu-user-static", "binfmt-support")
        subprocess.run(["update-binfmts", "--enable", "qemu-arm"], check=False)
    assert (formats / "qemu-arm").exists()


def push_busybox_for_arm_too() -> None:
    """The lab's busybox becomes a list of two builds, as the public one is a list of many.

    The second is made of Debian's packages for armhf, whose programs run here by emulation.
    """
    docker, names = Docker(), LabNames(name=NAME)
    (image,) = (each for each in IMAGES if each.reference == BUSYBOX)
    assert isinstance(image, PackedImage)
    arm_base, arm = "cloudlet-lab/debian:trixie-armhf", "cloudlet-lab/busybox:armhf"
    base.bootstrap(docker, print, architecture="armhf", tag=arm_base)
    pack(image, arm, arm_base, docker, print)
    tag = f"{names.push_host}/library/busybox:1"
    for local, processor in ((build(print, docker)[BUSYBOX], "amd64"), (arm, "arm")):
        docker.run("tag", local, f"{tag}-{processor}")
        docker.run("push", "--quiet", f"{tag}-{processor}")
        docker.run("rmi", f"{tag}-{processor}")
    docker.run("manifest", "create", "--insecure", tag, f"{tag}-amd64", f"{tag}-arm")
    docker.run("manifest", "annotate", "--arch=arm", "--variant=v7", tag, f"{tag}-arm")
    docker.run("manifest", "push", "--insecure", "--purge", tag)
