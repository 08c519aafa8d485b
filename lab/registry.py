"""The registry that the phones pull through, and the lab's images in it.

Its storage is .cloudlet/cache/registry: all labs of a checkout share it, and it outlives them. It
is a plain registry: what it lacks, a phone's Docker asks of Docker Hub itself.
"""

from __future__ import annotations

import http.client
import importlib
import json
import time
from collections.abc import Iterable

from lab import machine_images
from lab.docker import Docker
from lab.errors import LabError
from lab.names import REGISTRY_PUSH_PORT, Lab
from lab.system import STATE, Log

_RECORD = STATE / "cache" / "registry.json"
_HUB = "docker.io/"
_ANSWER_SECONDS = 15
_MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.oci.image.index.v1+json"
)


def fill(docker: Docker, lab: Lab, log: Log) -> None:
    """Have every image that the phones could not pull elsewhere; quick where all are there."""
    made_of = machine_images.fingerprint(machine_images.HERE / "images")
    record = json.loads(_RECORD.read_text()) if _RECORD.exists() else {}
    _await(lab)
    if record.get("made_of") == made_of and not _missing(lab, record["references"]):
        return
    images = importlib.import_module("lab.images")
    built: dict[str, str] = images.build(log, docker)
    for reference, tag in built.items():
        log(f"registry: {reference}")
        pushed = f"{lab.push_host}/{mirror_name(reference)}"
        docker.run("tag", tag, pushed)
        docker.run("push", "--quiet", pushed)
        docker.run("rmi", pushed)
    missing = _missing(lab, built)
    if missing:
        raise LabError(f"the registry does not hold {', '.join(missing)} after they were pushed")
    _RECORD.write_text(json.dumps({"made_of": made_of, "references": sorted(built)}))


def mirror_name(reference: str) -> str:
    """A reference as a mirror of Docker Hub knows it: docker.io/library/x:1 is library/x:1."""
    if not reference.startswith(_HUB):
        raise LabError(f"{reference}: Docker asks a mirror only for images of docker.io")
    name, _, tag = reference.removeprefix(_HUB).partition(":")
    return f"{name if '/' in name else f'library/{name}'}:{tag or 'latest'}"


def remove_images(docker: Docker, log: Log) -> None:
    """Every image called cloudlet-lab/...: they are the lab's own."""
    listed = docker.run(
        "image", "ls", "--format={{.Repository}}:{{.Tag}}", "--filter=reference=cloudlet-lab/*"
    )
    names = [name for name in listed.split() if not name.endswith(":<none>")]
    if names:
        log(f"removing {len(names)} images of the lab (what the next `up` needs is in .cloudlet)")
        docker.run("rmi", "--force", *names)


def _missing(lab: Lab, references: Iterable[str]) -> list[str]:
    return [each for each in references if not _holds(lab, mirror_name(each))]


def _holds(lab: Lab, name: str) -> bool:
    repository, tag = name.rsplit(":", 1)
    return _head(lab, f"/v2/{repository}/manifests/{tag}") == http.client.OK


def _await(lab: Lab) -> None:
    deadline = time.monotonic() + _ANSWER_SECONDS
    while _head(lab, "/v2/") != http.client.OK:
        if time.monotonic() > deadline:
            raise LabError(
                f"the registry at {lab.push_host} does not answer: docker logs {lab.registry} "
                "tells more"
            )
        time.sleep(0.1)


def _head(lab: Lab, path: str) -> int | None:
    connection = http.client.HTTPConnection(lab.loopback, REGISTRY_PUSH_PORT, timeout=5)
    try:
        connection.request("HEAD", path, headers={"Accept": _MANIFESTS})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
