"""An image of another registry comes to the phones once, or they do without."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from fake_registry import BUILD, HOST, LIST, Registry, digest_of

from components import delivered_image
from components.delivered_image import DeliveredImageProvider
from components.remote.engine_api import EngineError
from components.remote.ssh import Host, Result, UnreachableError

SWEEP = "docker exec -i cloudlet-registry sh -s"
PLACE = "192.168.8.11:5080"


class World:
    """A registry outside, the lab's, and four phones: what they have and pulled."""

    def __init__(self) -> None:
        self.outside = Registry()
        self.inside = Registry()
        self.off: set[str] = set()
        self.has: set[str] = set()
        self.pulled: list[tuple[str, str]] = []
        self.commands: list[str] = []
        self.refusal = ""
        self.copy = ""
        self.shared = self._blob(b"shared")
        self.arm = self._build(b"arm")
        self.amd = self._build(b"amd")
        self.list = self.outside._keep(
            LIST,
            {
                "manifests": [
                    {"digest": self.arm, "platform": {"architecture": "arm", "variant": "v7"}},
                    {"digest": self.amd, "platform": {"architecture": "amd64"}},
                ]
            },
        )

    def _blob(self, body: bytes) -> dict[str, Any]:
        self.outside.blobs[digest_of(body)] = body
        return {"digest": digest_of(body), "size": len(body)}

    def _build(self, what: bytes) -> str:
        layers = [self.shared, self._blob(what + b" layer")]
        return self.outside._keep(BUILD, {"config": self._blob(what), "layers": layers})

    def props(self, **changes: Any) -> dict[str, Any]:
        platforms = ("linux/arm/v7", "linux/arm/v7", "linux/amd64", "linux/arm64")
        phones = [
            {**HOST.to_inputs(), "name": f"phone-{number}", "platform": platform}
            for number, platform in enumerate(platforms, 1)
        ]
        return {
            "reference": f"127.0.0.1:{self.outside.port}/shop/web:1@{self.list}",
            "phones": phones,
            "names": [phone["name"] for phone in phones],
            "mirror": f"http://127.0.0.1:{self.outside.port}",
            "place": {"name": "phone-1", "address": "192.168.8.11", "port": 5080.0},
            "phone": HOST.to_inputs(),
            **changes,
        }

    def blobs(self) -> list[str]:
        """Which were fetched from outside."""
        return [line.rpartition("/")[2] for line in self.outside.log if "/blobs/" in line]


class Docker:
    def __init__(self, world: World, session: Any) -> None:
        self.world = world
        self.phone = session.host.name

    def get(self, path: str) -> None:
        own = path == f"/images/127.0.0.1:{self.world.outside.port}/shop/web@{self.world.list}/json"
        copy = path.removeprefix(f"/images/{self.world.copy}@").removesuffix("/json")
        if (self.phone, copy) not in self.world.pulled and not (
            own and self.phone in self.world.has
        ):
            raise EngineError(self.phone, 404, "no such image")

    def request(self, method: str, path: str, query: Mapping[str, Any]) -> bytes:
        assert (method, path) == ("POST", "/images/create")
        assert query["fromImage"] == self.world.copy
        self.world.pulled.append((self.phone, query["tag"]))
        answer = {"error": self.world.refusal} if self.world.refusal else {"status": "Done"}
        return json.dumps(answer).encode()

    def close(self) -> None: ...


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World()

    def run(command: str, **_: Any) -> Result:
        made.commands.append(command)
        return Result(status=0, stdout="", stderr="")

    with made.outside.serving(), made.inside.serving() as session:

        @contextmanager
        def connect(host: Host) -> Iterator[Any]:
            if host.name in made.off:
                raise UnreachableError(f"{host.name} does not answer.")
            yield SimpleNamespace(host=host, open_port=session.open_port, run=run)

        @contextmanager
        def engine(host: Host, *_: float) -> Iterator[Any]:
            with connect(host) as session:
                yield Docker(made, session)

        made.copy = f"{PLACE}/from/127.0.0.1-{made.outside.port}/shop/web"
        monkeypatch.setattr(delivered_image, "connect", connect)
        monkeypatch.setattr(delivered_image, "engine", engine)
        monkeypatch.setattr(delivered_image, "tell_once", print)
        yield made


def deliver(world: World, **changes: Any) -> None:
    DeliveredImageProvider().create(world.props(**changes))


def test_every_phone_gets_its_build_and_each_part_is_fetched_once(world: World) -> None:
    deliver(world)
    assert sorted(world.pulled) == [
        ("phone-1", world.arm),
        ("phone-2", world.arm),
        ("phone-3", world.amd),
    ], "and none for which there is no build"
    assert len(world.blobs()) == len(set(world.blobs())) == 5


def test_an_image_of_one_build_is_delivered_too(world: World) -> None:
    world.list = world.arm
    deliver(world)
    assert {digest for _, digest in world.pulled} == {world.arm}


@pytest.mark.parametrize("has", [{"phone-1", "phone-2", "phone-3", "phone-4"}, {"phone-1"}])
def test_what_the_phones_have_is_not_fetched_again(world: World, has: set[str]) -> None:
    world.has = has
    deliver(world)
    assert not {phone for phone, _ in world.pulled} & has
    assert bool(world.outside.log) == (len(has) == 1)


def test_for_one_phone_alone_nothing_is_done_as_it_fetches_it_once_itself(world: World) -> None:
    world.has = {"phone-1", "phone-2", "phone-3"}
    deliver(world)
    assert world.outside.log == []


def test_what_was_loaded_by_hand_has_no_digest_and_is_left_alone(world: World) -> None:
    deliver(world, reference="ghcr.io/shop/web:1")
    assert world.outside.log == []


def test_a_phone_that_is_off_is_told_and_keeps_no_other_from_it(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.off = {"phone-3"}
    deliver(world)
    assert {phone for phone, _ in world.pulled} == {"phone-1", "phone-2"}
    assert "phone-3 does not answer." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("happens", "words"),
    [
        (lambda world: world.outside.manifests.clear(), "has no such image"),
        (lambda world: setattr(world.inside, "refuses", "disk full"), "registry says: disk full"),
    ],
)
def test_what_cannot_be_delivered_is_fetched_by_each_phone(
    world: World, happens: Any, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    happens(world)
    deliver(world)
    told = capsys.readouterr().out
    assert "is not in the lab's registry, so each phone fetches it: " in told
    assert words in told
    assert world.pulled == []
    assert world.commands == ([SWEEP] if world.inside.log else []), "what came of it goes"


def test_a_phone_that_cannot_pull_it_is_told(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.refusal = "no space left on device"
    deliver(world)
    assert "phone-1: no space left on device; it fetches 127.0.0.1" in capsys.readouterr().out


def test_the_registry_is_as_it_was_once_the_phones_have_it(world: World) -> None:
    deliver(world)
    assert len([line for line in world.inside.log if line.startswith("PUT ")]) == 7
    assert not world.inside.manifests
    assert world.commands == [SWEEP]


def test_another_service_that_runs_it_fetches_nothing(world: World) -> None:
    deliver(world)
    world.outside.log.clear()
    pulled = list(world.pulled)
    deliver(world, names=["phone-1", "phone-2"])
    assert world.blobs() == []
    assert world.pulled == pulled


@pytest.mark.parametrize(
    ("change", "changes"),
    [({"names": ["phone-1"]}, True), ({"reference": "other"}, True), ({"phones": []}, False)],
)
def test_another_image_and_another_phone_are_a_change(
    world: World, change: dict[str, Any], changes: bool
) -> None:
    props = world.props()
    assert DeliveredImageProvider().diff("", props, props | change).changes is changes
