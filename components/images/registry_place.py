"""Where a lab's registry is, and what every phone's Docker is told of it. Pure."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from components.compose.image_reference import is_repository

# How many ports in a row it takes.
PORTS = 3


@dataclass(frozen=True, kw_only=True)
class RegistryPlace:
    """``address`` is the phone's on the lab's network. Three ports in a row are the registry's."""

    phone: str
    address: str
    port: int

    def to_inputs(self) -> dict[str, Any]:
        """Properties of a dynamic resource."""
        return {"name": self.phone, "address": self.address, "port": self.port}

    @property
    def images(self) -> str:
        """Where phones pull what was built; nobody can push there."""
        return f"{self.address}:{self.port}"

    @property
    def push_port(self) -> int:
        """A port of the phone's loopback: only who may log in there puts images into it."""
        return self.port + 1

    @property
    def cache_port(self) -> int:
        return self.port + 2

    @property
    def cache(self) -> str:
        """Where phones pull what Docker Hub has."""
        return f"{self.address}:{self.cache_port}"


def lost(phone: str, another: str = "…") -> str:
    """What it means that the registry's phone is off, and what to do; ``another`` may have it."""
    return (
        f"{phone} has the lab's registry. What runs goes on, but until the phone is back nothing "
        "is built, and no other can pull what was built. Start it, or write "
        f"cloudlet:registry: {{phone: {another}}} and run `make up`: all of it is built anew for "
        "that one"
    )


def repository(stack: str, service: str) -> str:
    """The name of a service's image in the registry: ``hello/web``, as far as Docker takes it.

    What it would not take is written otherwise, with a mark so that no two services share one.
    """
    name = f"{stack}/{service}"
    if is_repository(name):
        return name
    parts = [re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") for part in (stack, service)]
    mark = hashlib.sha256(name.encode()).hexdigest()[:8]
    return "/".join([*filter(None, parts), mark])
