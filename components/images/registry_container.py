"""What the lab's registry is on its phone: a container and a volume, and how they go."""

from __future__ import annotations

from typing import Any

from components.remote.engine_api import Engine, EngineError

CONTAINER = "cloudlet-registry"
VOLUME = "cloudlet-registry"


def stop(client: Engine) -> None:
    """The container is gone; what it held stays."""
    _gone(client, f"/containers/{CONTAINER}", force=True)


def take_away(client: Engine) -> None:
    """Both are gone, if they were there."""
    stop(client)
    _gone(client, f"/volumes/{VOLUME}")


def _gone(client: Engine, path: str, **query: Any) -> None:
    try:
        client.delete(path, **query)
    except EngineError as error:
        if error.status != 404:
            raise
