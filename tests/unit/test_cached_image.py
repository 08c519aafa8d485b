"""An image of Docker Hub is in the lab's cache before the phones ask, or they do without."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from fake_registry import BUILD, HOST, LIST, Registry

from components import cached_image
from components.cached_image import CachedImageProvider
from components.remote.ssh import Host, Result


class Cache:
    """A cache that has a blob some looks after it was asked for, and what was asked of it."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.stored: set[str] = set()
        self.comes_after = 2
        self.looks = 0
        builds = [
            {"digest": self._build(name), "platform": platform}
            for name, platform in (
                ("arm", {"os": "linux", "architecture": "arm", "variant": "v7"}),
                ("amd", {"os": "linux", "architecture": "amd64"}),
                ("proof", {"os": "unknown", "architecture": "unknown"}),
            )
        ]
        self.digest = self.registry._keep(LIST, {"manifests": builds})

    def _build(self, name: str) -> str:
        document = {
            "config": {"digest": f"sha256:{name}-config"},
            "layers": [{"digest": f"sha256:{name}-layer"}, {"digest": "sha256:shared"}],
        }
        return self.registry._keep(BUILD, document)

    def run(self, command: str, script: str) -> Result:
        assert script.endswith("du -sk .\n")
        self.looks += 1
        asked = command.partition(" -- ")[2].split()
        if self.looks > self.comes_after:
            self.stored |= set(asked)
        missing = [each for each in asked if each not in self.stored]
        return Result(status=0, stdout="\n".join([*missing, f"{self.looks} ."]), stderr="")

    def begun(self) -> set[str]:
        return {line.rpartition(":")[2] for line in self.registry.log if "/blobs/" in line}


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cache]:
    made = Cache()
    with made.registry.serving() as session:

        @contextmanager
        def connect(host: Host) -> Iterator[Any]:
            yield SimpleNamespace(host=host, open_port=session.open_port, run=made.run)

        monkeypatch.setattr(cached_image, "connect", connect)
        monkeypatch.setattr(cached_image, "_LOOK_SECONDS", 0.01)
        yield made


def fetch(cache: Cache, image: str = "shop/web:1", *platforms: str) -> None:
    CachedImageProvider().create(
        {
            "reference": f"{image}@{cache.digest}" if image else "loaded:by-hand",
            "platforms": list(platforms or ("linux/arm/v7",)),
            "place": {"name": "phone-1", "address": "192.168.8.11", "port": 5080.0},
            "phone": HOST.to_inputs(),
            "storage": "1",
        }
    )


def test_just_what_the_phones_will_pull_is_fetched_and_waited_for(cache: Cache) -> None:
    fetch(cache)
    assert cache.begun() == {"arm-config", "arm-layer", "shared"}
    assert cache.stored == cache.begun()
    cache.registry.log.clear()
    cache.looks = 0
    fetch(cache, "shop/web:1", "linux/arm/v7", "linux/amd64")
    assert cache.begun() == {"amd-config", "amd-layer"}, "the rest is there"


def test_a_phone_for_which_there_is_no_build_is_somebody_elses_to_tell(cache: Cache) -> None:
    fetch(cache, "shop/web:1", "linux/riscv64")
    assert cache.begun() == set()


@pytest.mark.parametrize("image", ["ghcr.io/shop/web:1", ""])
def test_what_the_cache_cannot_have_is_left_to_the_phones(cache: Cache, image: str) -> None:
    fetch(cache, image)
    assert cache.registry.log == []


def test_where_nothing_comes_it_is_told_and_the_phones_fetch_it(
    cache: Cache, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cache.comes_after = 1000
    monkeypatch.setattr(cached_image, "STALL_SECONDS", 0.0)
    monkeypatch.setattr(cached_image, "_look", lambda *_: (["sha256:arm-layer"], "0"))
    fetch(cache)
    assert capsys.readouterr().out == (
        "shop/web:1 is not in the cache, so each phone fetches it for itself: nothing came for "
        "0 s\n"
    )


def test_an_image_that_the_cache_does_not_find_stops_nothing(
    cache: Cache, capsys: pytest.CaptureFixture[str]
) -> None:
    cache.registry.manifests.clear()
    fetch(cache)
    assert "is not in the cache, so each phone fetches it for itself" in capsys.readouterr().out
