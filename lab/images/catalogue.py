"""Which public images the lab has, and what stands in for each where it can't be pulled."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
PORTAINER_TAG = "2.33.6"


@dataclass(frozen=True, kw_only=True)
class Health:
    """Intervals in seconds. `start_interval` counts until the first success, from Docker 25 on."""

    command: tuple[str, ...]
    interval: float = 30
    timeout: float = 5
    retries: int = 3
    start_period: float = 120
    start_interval: float = 1


@dataclass(frozen=True, kw_only=True)
class GoImage:
    """One static program out of a Go module and nothing else. `folder` is the module."""

    reference: str
    folder: Path
    entrypoint: tuple[str, ...]
    ports: tuple[int, ...] = ()
    # GOMEMLIMIT leaves room below the memory limits of the stacks' files.
    environment: dict[str, str] = field(default_factory=dict[str, str])
    health: Health | None = None
    user: str = ""
    volumes: tuple[str, ...] = ()
    # Where the public image can be pulled but has no build for most machines.
    only_on: str = ""


@dataclass(frozen=True, kw_only=True)
class DebianImage:
    """Built with Docker from the folder's Dockerfile, out of Debian's packages."""

    reference: str
    folder: Path


@dataclass(frozen=True, kw_only=True)
class PackedImage:
    """What the folder's pack.sh, run in Debian, writes to its standard output as a tar."""

    reference: str
    folder: Path
    command: tuple[str, ...]


Image = GoImage | DebianImage | PackedImage


def _coffee(service: str, *, memory: str, ports: tuple[int, ...] = ()) -> GoImage:
    return GoImage(
        reference=f"docker.io/juangonzalout/go-coffeeshop-{service}:latest",
        folder=HERE / "coffee",
        entrypoint=("/coffee", service),
        ports=ports,
        environment={"GOMEMLIMIT": memory},
        health=Health(command=("/coffee", "healthcheck")),
        user="65534:65534",
        only_on="arm",
    )


IMAGES: tuple[Image, ...] = (
    DebianImage(reference="docker.io/library/postgres:14-alpine", folder=HERE / "postgres"),
    DebianImage(
        reference="docker.io/library/rabbitmq:3.11-management-alpine", folder=HERE / "rabbitmq"
    ),
    DebianImage(reference="docker.io/library/registry:2", folder=HERE.parent / "registry_image"),
    PackedImage(reference="docker.io/library/busybox:1", folder=HERE / "busybox", command=("sh",)),
    _coffee("product", memory="32MiB", ports=(5001,)),
    _coffee("counter", memory="96MiB", ports=(5002,)),
    _coffee("barista", memory="32MiB"),
    _coffee("kitchen", memory="32MiB"),
    _coffee("proxy", memory="64MiB", ports=(5000,)),
    _coffee("web", memory="32MiB", ports=(8888,)),
    GoImage(
        reference=f"docker.io/portainer/agent:{PORTAINER_TAG}",
        folder=HERE / "portainer",
        entrypoint=("/portainer", "agent"),
        ports=(9001,),
        environment={"GOMEMLIMIT": "32MiB"},
        health=Health(command=("/portainer", "healthcheck")),
    ),
    GoImage(
        reference=f"docker.io/portainer/portainer-ce:{PORTAINER_TAG}",
        folder=HERE / "portainer",
        entrypoint=("/portainer", "server"),
        ports=(8000, 9000, 9443),
        environment={"GOMEMLIMIT": "64MiB"},
        health=Health(command=("/portainer", "healthcheck")),
        volumes=("/data",),
    ),
)
