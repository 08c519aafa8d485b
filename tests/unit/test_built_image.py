"""An image of a stack's own: built and pushed when it has changed, and only then."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from fake_registry import HOST, Registry
from pulumi.output import Unknown

from components import built_image
from components.built_image import BuiltImageProvider
from components.images.builder import BuildError, Order, Ways
from components.remote import tunnel
from components.remote.ssh import Host, PhoneError, Result, UnreachableError

SWEEP = "docker exec -i cloudlet-registry sh -s"
DIGEST = f"sha256:{'a' * 64}"
PROPS: dict[str, Any] = {
    "stack": "hello",
    "service": "web",
    "repository": "hello/web",
    "folder": "stacks/hello",
    "dockerfile": "stacks/hello/Dockerfile",
    "ignore": "",
    "digest": "1" * 64,
    "target": "",
    "args": {"TOKEN": "secret-token"},
    "secrets": {"npm": "a2V5LW9mLW5wbQ=="},
    "hidden": ["secret-token", "key-of-npm"],
    "platforms": ["linux/arm/v7", "linux/arm64"],
    "place": {"name": "phone-1", "address": "192.168.8.11", "port": 5080.0},
    "phone": HOST.to_inputs(),
    "storage": "2026-11-30",
    "phones": [],
    "__preview": False,
}


class Builder:
    """Pushes what it is told to, or fails."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.orders: list[tuple[Order, str]] = []
        self.fails = ""

    def push(self, order: Order, reference: str, _ways: Ways, step: Any) -> None:
        step("STEP 1/1: FROM scratch")
        self.orders.append((order, reference))
        if self.fails:
            raise BuildError(self.fails)
        repository, _, tag = reference.rpartition(":")
        self.registry.put(repository, tag, *order.platforms)


class Phone:
    """The registry's phone: what was run on it, and how full it is."""

    def __init__(self) -> None:
        self.commands: list[str] = []
        self.free_mb = 9000
        self.docker = 0

    def run(self, command: str, **_: Any) -> Result:
        self.commands.append(command)
        answer = f"Filesystem x\n/dev/x 9 9 {self.free_mb} 9 /\n" if " df " in command else ""
        return Result(status=self.docker, stdout=answer, stderr="")


class Made:
    def __init__(self) -> None:
        self.registry = Registry()
        self.builder = Builder(self.registry)
        self.phone = Phone()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    here = Made()
    with here.registry.serving() as session:

        @contextmanager
        def connect(host: Host) -> Iterator[Any]:
            yield SimpleNamespace(host=host, open_port=session.open_port, run=here.phone.run)

        monkeypatch.setattr(built_image, "connect", connect)
        monkeypatch.setattr(tunnel, "connect", connect)
        monkeypatch.setattr(built_image.builder, "find", lambda *_: here.builder)
        yield here


def created(**changes: Any) -> dict[str, Any]:
    return BuiltImageProvider().create(PROPS | changes).outs or {}


def updated(olds: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return BuiltImageProvider().update("", olds, PROPS | changes).outs or {}


def test_a_service_is_given_what_was_pushed_and_no_tag_that_may_move(made: Made) -> None:
    outs = created()
    ((order, reference),) = made.builder.orders
    digest = made.registry.tags["hello/web"][outs["tag"]]
    assert outs["reference"] == f"192.168.8.11:5080/{reference}@{digest}"
    assert (order.platforms, order.args) == (PROPS["platforms"], PROPS["args"])
    assert (order.secrets, order.hidden) == ({"npm": b"key-of-npm"}, PROPS["hidden"])


def test_nothing_secret_is_in_the_state(made: Made) -> None:
    outs = str(created())
    for secret in ("secret-token", "key-of-npm", "a2V5LW9mLW5wbQ"):
        assert secret not in outs


@pytest.mark.parametrize(
    "change",
    [
        {"digest": "2" * 64},
        {"platforms": ["linux/arm/v7"]},
        {"storage": "2026-12-01"},
        {"place": {**PROPS["place"], "address": "192.168.8.12"}},
    ],
)
def test_what_changes_the_image_or_where_it_is_builds_anew(change: dict[str, Any]) -> None:
    assert BuiltImageProvider().diff("", PROPS, PROPS | change).changes


@pytest.mark.parametrize(
    "change",
    [
        {"folder": "/elsewhere"},
        {"args": {}},
        {"secrets": {}, "hidden": []},
        {"phone": {}},
        {"__preview": True},
        {"platforms": Unknown()},
        {"storage": Unknown()},
    ],
)
def test_nothing_else_does(change: dict[str, Any]) -> None:
    assert not BuiltImageProvider().diff("", PROPS, PROPS | change).changes


def test_a_preview_says_what_it_would_build(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(built_image, "tell_once", print)
    news = PROPS | {"__preview": True}
    BuiltImageProvider().check({}, news)
    assert capsys.readouterr().out == "hello: would build web for linux/arm/v7, linux/arm64\n"
    BuiltImageProvider().check({}, news | {"platforms": Unknown()})
    assert capsys.readouterr().out == (
        "hello: would build web for the architectures that its phones tell at the first contact\n"
    )
    BuiltImageProvider().check(PROPS, news)
    BuiltImageProvider().diff("", PROPS, news)
    assert capsys.readouterr().out == "", "it is there already"
    BuiltImageProvider().diff("", PROPS, news | {"digest": "2" * 64})
    assert capsys.readouterr().out == "hello: would build web for linux/arm/v7, linux/arm64\n"
    BuiltImageProvider().check({}, PROPS)
    assert capsys.readouterr().out == "", "an `up` says what it does when it does it"


def test_the_two_images_before_stay_for_whoever_rolls_back(made: Made) -> None:
    outs = created()
    tags = [outs["tag"]]
    for number in range(2, 6):
        outs = updated(outs, digest=str(number) * 64)
        tags.append(outs["tag"])
    assert set(made.registry.tags["hello/web"]) == set(tags[-3:])
    assert made.phone.commands == [SWEEP] * 2


def test_the_same_image_for_other_processors_has_another_tag(made: Made) -> None:
    assert created()["tag"] != created(platforms=["linux/arm64"])["tag"]


def test_an_image_that_is_not_in_the_registry_any_more_is_built_anew(made: Made) -> None:
    outs = created()
    assert BuiltImageProvider().read("", outs).outs == outs
    made.registry.manifests.clear()
    seen = BuiltImageProvider().read("", outs).outs or {}
    assert BuiltImageProvider().diff("", seen, PROPS).changes


def test_a_stack_that_goes_takes_its_images_from_the_registry(made: Made) -> None:
    other = made.registry.put("hello/db", "1", "linux/arm64")
    BuiltImageProvider().delete("", created())
    assert set(made.registry.manifests) == set(other)


def test_a_failing_build_names_the_service_and_ends_with_the_builders_words(made: Made) -> None:
    made.builder.fails = "buildah failed. Its last lines:\n  make: no rule"
    with pytest.raises(PhoneError) as caught:
        created()
    assert str(caught.value) == (
        "stacks.hello: services.web.build: buildah failed. Its last lines:\n  make: no rule\n"
        "When this is mended, `make up` builds it."
    )
    assert made.phone.commands[-1] == SWEEP, "what was pushed in vain is taken away"


def test_where_a_version_runs_already_a_failing_build_says_that_it_runs_on(made: Made) -> None:
    outs = created()
    made.builder.fails = "buildah failed. Its last lines:\n  make: no rule"
    with pytest.raises(PhoneError) as caught:
        updated(outs, digest="2" * 64)
    assert str(caught.value).splitlines()[-1] == (
        "What ran before runs on. When this is mended, `make up` builds it."
    )


def test_steps_pass_and_what_was_built_for_whom_is_told(
    made: Made, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(built_image, "show", shown.append)
    created()
    assert shown == [
        "hello: web: building for linux/arm/v7, linux/arm64",
        "hello: web: STEP 1/1: FROM scratch",
    ]
    told = capsys.readouterr().out
    assert re.fullmatch(
        r"hello: web: built for linux/arm/v7, linux/arm64 and in the registry after .* s\n", told
    )


def test_a_registry_whose_phone_is_full_says_so(made: Made) -> None:
    made.builder.fails, made.phone.free_mb = "buildah failed. Its last lines:\n  500", 3
    with pytest.raises(PhoneError) as caught:
        created()
    assert str(caught.value).splitlines()[-1] == (
        "phone-1 has 3 MB left for Docker, so its registry can take no image: make room there "
        "(`docker system prune`), or name another phone in cloudlet:registry"
    )


def test_a_phone_that_dies_while_an_image_is_pushed_is_named(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.builder.fails = "buildah failed. Its last lines:\n  EOF"
    alive = built_image.connect
    calls = iter([alive])

    def connect(host: Host) -> Any:
        for each in calls:
            return each(host)
        raise UnreachableError("phone-1 does not answer at 192.0.2.1:22: it is off.")

    monkeypatch.setattr(built_image, "connect", connect)
    with pytest.raises(PhoneError) as caught:
        created()
    last = str(caught.value).splitlines()[-1]
    assert last.startswith(
        "phone-1 does not answer at 192.0.2.1:22: it is off. phone-1 has the lab's registry. What"
    )


def test_a_registry_that_stops_while_an_image_is_pushed_is_named(made: Made) -> None:
    made.builder.fails, made.phone.docker = "buildah failed. Its last lines:\n  EOF", 1
    with pytest.raises(PhoneError) as caught:
        created()
    assert str(caught.value).splitlines()[-1] == (
        "phone-1: the lab's registry is not up; `make refresh up` mends it"
    )


def test_a_registry_whose_phone_is_off_is_told_and_stops_no_refresh_and_no_destroy(
    made: Made, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outs = created()

    def connect(_host: Host) -> Any:
        raise UnreachableError("phone-1 does not answer at 192.0.2.1:22: it is off.")

    monkeypatch.setattr(built_image, "connect", connect)
    with pytest.raises(PhoneError) as caught:
        updated(outs, digest="2" * 64)
    assert str(caught.value) == (
        "phone-1 does not answer at 192.0.2.1:22: it is off. phone-1 has the lab's registry. What "
        "runs goes on, but until the phone is back nothing is built, and no other can pull what "
        "was built. Start it, or write cloudlet:registry: {phone: …} and run `make up`: all of it "
        "is built anew for that one"
    )
    assert BuiltImageProvider().read("", outs).outs == outs
    BuiltImageProvider().delete("", outs)
    assert "phone-1 does not answer" in capsys.readouterr().out
