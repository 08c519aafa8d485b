"""Stacks of compose files on the lab's swarm: by ``docker stack deploy``, and as ours."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from labkit import NAME, PHONES, ROOT, Lab, LabNames, wait_for
from parity import NAMESPACE, Objects, objects
from tiny_images import TinyImages

from components.compose import ComposeFile, load_files
from lab.system import System

CORPUS = ROOT / "tests" / "parity"
VARIABLES = {"SET": "set value", "SET_EMPTY": "", "FROM_SHELL": "shell", "WORKER_TAG": "3"}
_THERE = "/tmp/parity"
# Made by somebody else, before: what external.yml asks for.
_OUTSIDE = """
docker network create -d overlay --attachable outside
docker network create -d overlay outside-too
echo token | docker secret create outside_token -
echo token | docker secret create outside-token -
echo page | docker config create outside_page -
echo page | docker config create outside-page -
"""


def corpus() -> dict[str, list[Path]]:
    """The compose files of each stack, by the stack's name."""
    found: dict[str, list[Path]] = {}
    for path in sorted(CORPUS.glob("*.yml")):
        found.setdefault(path.name.split(".")[0], []).append(path)
    return found


def configured(names: Iterable[str]) -> dict[str, Any]:
    """``cloudlet:stacks`` for stacks of the corpus."""
    files = corpus()
    return {
        name: {
            "files": [path.relative_to(ROOT).as_posix() for path in files[name]],
            "variables": VARIABLES,
        }
        for name in names
    }


def tiny_images() -> TinyImages:
    return TinyImages(LabNames(name=NAME), System())


def push_images(tiny: TinyImages, names: Iterable[str]) -> None:
    """Every image of the stacks, under its own name and all the same program."""
    files = corpus()
    images: set[str] = set()
    for name in names:
        spec = load_files(
            [ComposeFile(source=path.name, text=path.read_text()) for path in files[name]],
            stack=name,
            variables=VARIABLES,
            read=lambda path: (CORPUS / path).read_bytes(),
        )
        images |= {service.image.removeprefix("docker.io/") for service in spec.services.values()}
    for image in sorted(images):
        tagged = image if ":" in image else f"{image}:latest"
        tiny.push(tagged if "/" in tagged else f"library/{tagged}")


def say_that_ip_vs_is_there(lab: Lab) -> None:
    """So that a phone may be in a lab with ``routing: mesh``, whatever this machine's kernel has.

    Tasks start without it; only a virtual address leads nowhere, and nothing here goes through one.
    A program put in front of ``modprobe`` would not do: ``doas`` looks in /usr/local last.
    """
    for phone in PHONES:
        lab.on(phone, "echo 'install ip_vs /bin/true' > /etc/modprobe.d/ip_vs.conf")


def make_what_is_external(lab: Lab) -> None:
    lab.on("phone-1", _OUTSIDE)


def deployed_by_docker(lab: Lab, names: Sequence[str]) -> Objects:
    """What ``docker stack deploy`` makes of stacks; they are gone again afterwards."""
    container = f"cloudlet-{NAME}-phone-1"
    lab.on("phone-1", f"rm -rf {_THERE}")
    subprocess.run(["docker", "cp", "-q", CORPUS, f"{container}:{_THERE}"], check=True)
    variables = " ".join(f"{key}='{value}'" for key, value in VARIABLES.items())
    files = corpus()
    for name in names:
        given = " ".join(f"-c {path.name}" for path in files[name])
        deploy = f"docker stack deploy --detach=true {given} {name}"
        lab.on("phone-1", f"cd {_THERE}; {variables} {deploy} 2>&1")
    found = inspected(lab)
    lab.on("phone-1", f"docker stack rm {' '.join(names)} 2>&1")
    assert wait_for(lambda: not left_behind(lab), 120), left_behind(lab)
    return found


def inspected(lab: Lab) -> Objects:
    """Every stack's services, networks, secrets and configs as Swarm has them."""
    text = lab.on(
        "phone-1",
        "for kind in service network secret config; do ids=$(docker $kind ls -q); "
        '[ -z "$ids" ] && echo "[]" || docker $kind inspect --format "{{json .}}" $ids; '
        "echo; done",
    )
    kinds = text.split("\n\n")
    lists = [
        [json.loads(line) for line in part.splitlines() if line not in ("", "[]")]
        for part in kinds[:4]
    ]
    return objects(dict(zip(("service", "network", "secret", "config"), lists, strict=True)))


def left_behind(lab: Lab, *, but: str = "") -> dict[str, set[str]]:
    """The stacks other than ``but`` of which something is still on a phone, by phone."""
    mine = f"--filter label={NAMESPACE} --format '{{{{.Label \"{NAMESPACE}\"}}}}'"
    listed = {
        phone: set(lab.on(phone, f"docker ps -a {mine}; docker network ls {mine}").split())
        for phone in PHONES
    }
    return {phone: stacks - {but} for phone, stacks in listed.items() if stacks - {but}}


def tasks_of(lab: Lab, service: str) -> list[str]:
    """Ids of a service's running tasks."""
    listed = lab.on("phone-1", f"docker service ps -q -f desired-state=running {service}")
    return sorted(listed.split())
