"""An image's digest and platforms, which a service is pinned to when it is created."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from .client import Client
from .errors import PluginError

Values = dict[str, Any]

_QUERY_LIMIT: Final = 30.0
_TAG: Final = re.compile(r":[\w][\w.-]*$")
_HUB: Final = ("docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com")


def pin(client: Client, spec: Values, auth: str) -> None:
    """Writes digest and platforms into a spec, asking the registry through the Engine.

    A registry that cannot be asked leaves the spec as it is: the image may be on the nodes.
    """
    task = spec["TaskTemplate"]
    image: str = task["ContainerSpec"]["Image"]
    try:
        answer = client.get(
            f"/distribution/{image}/json", headers={"X-Registry-Auth": auth}, limit=_QUERY_LIMIT
        )
    except PluginError:
        return
    task["ContainerSpec"]["Image"] = with_digest(image, answer["Descriptor"]["digest"])
    platforms = [
        # Nodes call themselves armv7l, images say arm: Swarm would never match them.
        {
            "Architecture": "" if p.get("architecture", "").lower() == "arm" else p["architecture"],
            "OS": p.get("os", ""),
        }
        for p in answer.get("Platforms") or []
    ]
    if platforms:
        task["Placement"]["Platforms"] = platforms


def with_digest(image: str, digest: str) -> str:
    """`image@digest`, unless the image carries one; `latest` where it has no tag."""
    if "@" in image:
        return image
    return f"{image if _TAG.search(image) else f'{image}:latest'}@{digest}"


def registry_auth(image: str, own: Values | None, known: Mapping[str, Values]) -> str:
    """The header with the credentials for an image: the service's own, or the provider's."""
    credentials: Values = {}
    if own is not None:
        if own.get("username") and own.get("password"):
            credentials = {
                "username": own["username"],
                "password": own["password"],
                "serveraddress": own["serverAddress"],
            }
    elif "/" in image:
        registry = image.partition("/")[0]
        names = _HUB if registry in _HUB else (registry,)
        credentials = next((known[name] for name in (registry, *names) if name in known), {})
    return base64.urlsafe_b64encode(json.dumps(credentials).encode()).decode()
