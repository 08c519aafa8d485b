"""Earlier builds go from the phones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fake_registry import HOST

from components.images import phone_images
from components.remote.engine_api import EngineError
from components.remote.ssh import Host, UnreachableError

PHONE = HOST.to_inputs()
OTHER = "ghcr.io/shop/web@sha256:4"


class Docker:
    """A phone's images by reference; what runs cannot be removed."""

    def __init__(self, *images: str, runs: str = "") -> None:
        self.images = [*images]
        self.runs = runs

    def get(self, path: str) -> Any:
        assert path == "/images/json"
        return [{"RepoDigests": [each]} for each in self.images] + [{"RepoDigests": None}]

    def delete(self, path: str) -> None:
        reference = path.removeprefix("/images/")
        if reference == self.runs:
            raise EngineError("phone-1", 409, "image is being used by running container")
        self.images.remove(reference)


@pytest.fixture
def dockers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Docker]:
    found: dict[str, Docker] = {}

    @contextmanager
    def engine(host: Host) -> Iterator[Docker]:
        if host.name not in found:
            raise UnreachableError(f"{host.name} does not answer")
        yield found[host.name]

    monkeypatch.setattr(phone_images, "engine", engine)
    return found


def test_a_phone_keeps_of_the_builds_what_runs_and_all_that_is_somebody_elses(
    dockers: dict[str, Docker],
) -> None:
    now, before, moved = (
        "10.0.0.1:5080/hello/web@sha256:3",
        "10.0.0.1:5080/hello/web@sha256:2",
        "10.0.0.2:5080/hello/web@sha256:1",
    )
    dockers["phone-1"] = Docker(moved, before, now, OTHER, runs=now)
    dockers["phone-3"] = Docker(before)
    phones = [{**PHONE, "name": f"phone-{number}"} for number in (1, 2, 3)]
    phone_images.free(phones, {"10.0.0.1:5080/hello/web", "10.0.0.2:5080/hello/web"})
    assert dockers["phone-1"].images == [now, OTHER]
    assert dockers["phone-3"].images == []
