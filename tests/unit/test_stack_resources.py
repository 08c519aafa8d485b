"""The small resources beside a stack's services, on a manager that answers from memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fake_manager import ACCESS, Manager, talking

from components import external, image, rollout, scale
from components.remote.engine_api import EngineError
from components.remote.ssh import PhoneError

DIGEST = f"sha256:{'a' * 64}"
DIGEST_A, DIGEST_B = "a" * 16, "b" * 16


@pytest.fixture
def talk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    yield from talking(monkeypatch)


# Images


def test_an_image_is_recorded_with_its_digest_and_its_builds(talk: Any) -> None:
    builds = [
        {"architecture": "arm", "os": "linux", "variant": "v7"},
        {"architecture": "arm64", "os": "linux", "variant": "v8"},
        {"architecture": "unknown", "os": "unknown"},
    ]
    answer = {"Descriptor": {"digest": DIGEST}, "Platforms": builds}
    talk(Manager(**{"distribution__web:1__json": answer}))
    outs = image.ImageProvider().create({"image": "docker.io/library/web:1", **ACCESS}).outs
    assert outs is not None
    assert outs["reference"] == f"web:1@{DIGEST}"
    assert outs["platforms"] == ["linux/arm/v7", "linux/arm64"]


def test_an_image_with_a_digest_needs_no_registry(talk: Any) -> None:
    talk(Manager())
    outs = image.ImageProvider().create({"image": f"web:1@{DIGEST}", **ACCESS}).outs
    assert outs is not None
    assert (outs["reference"], outs["platforms"]) == (f"web:1@{DIGEST}", [])


@pytest.mark.parametrize(
    ("docker_says", "told"),
    [
        ("manifest unknown: manifest unknown", "there is no web:1 (manifest unknown)"),
        (
            "errors:\ndenied: requested access to the resource is denied\n",
            "phone-1 cannot have web:1 (errors: denied: requested access to the resource is "
            "denied)",
        ),
        (
            "x509: certificate signed by unknown authority",
            "phone-1 cannot have web:1 (x509: certificate signed by unknown authority)",
        ),
        ("Get: no such host", "phone-1 cannot have web:1 (Get: no such host)"),
    ],
)
def test_an_image_that_nobody_has_is_named_and_what_to_do_is_a_line_of_its_own(
    talk: Any, docker_says: str, told: str
) -> None:
    def unknown(_manager: Manager) -> Any:
        raise EngineError("phone-1", 404, docker_says)

    talk(Manager(**{"distribution__web:1__json": unknown}))
    props = {"image": "web:1", "key": "stacks.shop: services.page.image", **ACCESS}
    with pytest.raises(PhoneError) as caught:
        image.ImageProvider().create(props)
    assert str(caught.value) == (
        f"stacks.shop: services.page.image: {told}\n"
        "Correct the name or the tag; if both are right, see what phone-1 lacks by "
        "`make shell PHONE=phone-1 CMD='docker pull web:1'`"
    )


# What somebody else made


def seen(kind: str, name: str, **state: Any) -> dict[str, Any]:
    outs = external.ExternalProvider().read(name, given(kind, name) | state).outs
    assert outs is not None
    return outs


def given(kind: str, name: str) -> dict[str, Any]:
    return {"kind": kind, "object": name, "key": f"stacks.shop: {kind}.x", **ACCESS}


def test_an_external_secret_is_the_one_of_just_that_name(talk: Any) -> None:
    secrets = [
        {"ID": "1", "Spec": {"Name": "token-old"}},
        {"ID": "2", "Spec": {"Name": "token"}},
    ]
    talk(Manager(secrets=secrets))
    outs = external.ExternalProvider().create(given("secrets", "token")).outs
    assert outs is not None
    assert outs["docker_id"] == "2"


@pytest.mark.parametrize("kind", ["networks", "secrets", "configs"])
def test_what_the_swarm_lacks_is_named_by_its_key_with_the_command_that_makes_it(
    talk: Any, kind: str
) -> None:
    talk(Manager(**{kind: [{"Id": "1", "Name": "token", "Scope": "local"}]}))
    with pytest.raises(PhoneError) as caught:
        external.ExternalProvider().create(given(kind, "token" if kind == "networks" else "gone"))
    assert str(caught.value).startswith(f"stacks.shop: {kind}.x is external, and the swarm has no")
    assert f"docker {kind.removesuffix('s')} create" in str(caught.value)


def test_a_refresh_sees_that_an_external_thing_was_made_anew_or_is_gone(talk: Any) -> None:
    manager = talk(Manager(configs=[{"ID": "new", "Spec": {"Name": "page"}}]))
    assert seen("configs", "page", docker_id="old")["docker_id"] == "new"
    manager.answers["/configs"] = []
    assert seen("configs", "page", docker_id="new") == {}


# How many replicas the provider is told


def test_scaling_alone_is_no_change_for_the_provider() -> None:
    olds = {"service": "s", "replicas": 1.0, "spec_digest": "a"}
    diff = scale.ScaleProvider().diff
    assert not diff("s", olds, olds | {"replicas": 3}).changes
    assert diff("s", olds, olds | {"spec_digest": "b"}).changes


def test_a_refresh_takes_the_replicas_as_the_swarm_has_them(talk: Any) -> None:
    mode = {"Replicated": {"Replicas": 3}}
    services = [
        {"Spec": {"Name": "s", "Mode": mode}},
        {"Spec": {"Name": "g", "Mode": {"Global": {}}}},
    ]
    talk(Manager(services=services))
    props = {"service": "s", "replicas": 1, "spec_digest": "a", **ACCESS}
    for name, replicas in (("s", 3), ("g", 1)):
        outs = scale.ScaleProvider().read(name, props).outs
        assert outs is not None
        assert outs["replicas"] == replicas


def test_a_plan_tells_from_how_many_replicas_to_how_many(
    talk: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pulumi's own line of a plan names what changes and no number."""
    talk(Manager())
    olds = {"service": "shop_web", "replicas": 2.0, "spec_digest": DIGEST_A}
    diff = rollout.RolloutProvider().diff
    assert diff("shop_web", olds, olds | {"replicas": 5}).changes
    assert diff("shop_web", olds, olds | {"replicas": 5}).changes
    assert capsys.readouterr().out == "shop_web: 2 → 5 replicas\n"
    diff("shop_web", olds, olds | {"spec_digest": DIGEST_B})
    diff("shop_web", olds | {"replicas": -1.0}, olds)
    assert capsys.readouterr().out == ""


def test_a_plan_tells_what_of_a_service_changes(
    talk: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    talk(Manager())
    one = {"image": "web:1", "environment": "1", "labels": "1", "update": "1"}
    other = {"image": "web:2", "environment": "2", "labels": "1", "stop grace period": "1"}
    props = {"service": "shop_web", "replicas": 2.0}
    olds = {**props, "spec_digest": DIGEST_A, "parts": one}
    diff = rollout.RolloutProvider().diff
    assert diff("shop_web", olds, {**props, "spec_digest": DIGEST_B, "parts": other}).changes
    assert capsys.readouterr().out == (
        "shop_web: image web:1 → web:2, environment, stop grace period, update\n"
    )
    diff("shop_web", olds, {**olds, "spec_digest": DIGEST_B})
    assert capsys.readouterr().out == "shop_web: its image is another build\n"


def test_a_plan_tells_what_a_refresh_has_found_of_a_service(
    talk: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    talk(Manager())
    olds = {"service": "shop_web", "replicas": 2.0, "spec_digest": "shop_web: 1 of 2 tasks run"}
    assert rollout.RolloutProvider().diff("s", olds, {**olds, "spec_digest": DIGEST_A}).changes
    assert capsys.readouterr().out == (
        "shop_web: 1 of 2 tasks run; `up` waits until it runs as asked\n"
    )
