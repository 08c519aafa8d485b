"""Earlier builds of an image, which phones would keep for ever."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from components.remote.engine_api import Engine, EngineError, engine
from components.remote.ssh import Host, PhoneError

Phone = Mapping[str, Any]

_PARALLEL = 16


def free(phones: Sequence[Phone], names: Collection[str]) -> None:
    """Takes away what the phones have under ``names``, repositories with their registry, and that
    no container of theirs is of.

    A phone that does not answer is left out: it is asked again with the next build.
    """
    with ThreadPoolExecutor(_PARALLEL) as pool:
        for phone in phones:
            pool.submit(_free, phone, names)


def _free(phone: Phone, names: Collection[str]) -> None:
    with suppress(PhoneError), engine(Host.from_inputs(phone)) as client:
        images: list[dict[str, Any]] = client.get("/images/json")
        for image in images:
            references: list[str] = image.get("RepoDigests") or []
            for reference in references:
                if reference.partition("@")[0] in names:
                    _remove(client, reference)


def _remove(client: Engine, reference: str) -> None:
    # Docker refuses where a container is of it, and that is how what runs stays.
    with suppress(EngineError):
        client.delete(f"/images/{reference}")
