"""A stack whose image is built, under Pulumi's mocks: what is built for whom, and from where."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pulumi
import pytest
from recorder import Recorder, run
from test_components import SETTINGS, phone_args

from components import compose
from components.docker_host import provider
from components.images.build_context import Context
from components.images.registry_place import RegistryPlace
from components.phone import Phone
from components.registry import Registry, RegistryArgs
from components.stack import Stack, StackArgs
from components.swarm import Member, Swarm, SwarmArgs

TOKEN = "secret-token"
CONTEXT = Context(
    folder=Path("stacks/hello"),
    dockerfile=Path("stacks/hello/Dockerfile"),
    ignore=None,
    digest="1" * 64,
)


def lab(build: str = ".", service: str = "", names: str = "one") -> Recorder:
    """A lab of ``names`` with a registry on the first, and a stack with one service, which is built
    unless another ``service`` is given."""

    def program() -> None:
        phones = {name: Phone(name, phone_args(name)) for name in names.split()}
        members = {
            name: Member(phone=phone, role="manager", labels={}) for name, phone in phones.items()
        }
        phone = phones["one"]
        swarm = Swarm("swarm", SwarmArgs(members=members, settings=SETTINGS))
        place = RegistryPlace(phone="one", address="10.0.0.1", port=5080)
        registry = Registry("registry", RegistryArgs(place=place, phone=phone.host, cache_mb=4096))
        spec = compose.load(
            f"services: {{web: {service or f'{{build: {build}}}'}}}\n"
            "secrets: {npm: {environment: TOKEN}}",
            source="stack.yml",
            stack="hello",
            variables={"TOKEN": TOKEN},
            read=lambda path: path,
            builds=True,
        )
        Stack(
            "hello",
            StackArgs(
                spec=spec,
                swarm=swarm,
                docker_provider=provider("entry", access=swarm.access, after=swarm),
                secret_values=frozenset({TOKEN}),
                registry=registry,
                contexts={"web": CONTEXT},
            ),
        )

    return run(program)[0]


def built(recorder: Recorder) -> dict[str, Any]:
    return recorder.one("hello-web-build").inputs


def test_it_is_built_for_the_phones_there_are_and_deployed_as_it_was_pushed() -> None:
    recorder = lab()
    assert built(recorder)["platforms"] == ["linux/arm64"]
    assert built(recorder)["place"] == {"name": "one", "address": "10.0.0.1", "port": 5080}
    assert built(recorder)["storage"] == "2026-11-30"
    service = recorder.one("hello-web").inputs["taskSpec"]["containerSpec"]
    assert service["image"] == "10.0.0.1:5080/hello/web:1@sha256:1"
    assert recorder.of("Image") == []


def test_whether_every_phone_has_a_build_is_checked_as_for_any_image() -> None:
    services = lab().one("hello-compatibility").inputs["services"]
    assert services["web"]["platforms"] == ["linux/arm64"]
    assert services["web"]["built"] is True


def test_a_registry_without_another_source_is_a_cache_of_docker_hub() -> None:
    assert lab().one("registry").inputs["upstream"] == "https://registry-1.docker.io"


def test_an_argument_that_is_secret_is_marked_so() -> None:
    recorder = lab("{context: ., args: {TOKEN: '${TOKEN}'}}")
    assert "args" in recorder.one("hello-web-build").secret

    assert recorder.one("hello-web-build").inputs["hidden"] == [TOKEN]


def test_a_secret_of_a_build_is_marked_so_and_never_shown() -> None:
    recorder = lab("{context: ., secrets: [npm]}")
    made = recorder.one("hello-web-build")
    assert {"secrets", "hidden"} <= made.secret
    assert base64.b64decode(made.inputs["secrets"]["npm"]).decode() == TOKEN
    assert made.inputs["hidden"] == [TOKEN]
    assert recorder.of("Secret") == []


def test_a_build_without_secrets_has_nothing_to_hide() -> None:
    assert lab().one("hello-web-build").inputs["hidden"] == []


def test_an_image_of_another_registry_is_delivered_to_the_phones_that_will_run_it() -> None:
    recorder = lab(service="{image: ghcr.io/shop/web, deploy: {mode: global}}")
    made = recorder.one("hello-web-delivered").inputs
    assert made["reference"] == f"ghcr.io/shop/web@sha256:{'0' * 64}"
    assert [(phone["name"], phone["platform"]) for phone in made["phones"]] == [
        ("one", "linux/arm64")
    ]
    assert recorder.of("CachedImage") == []


def test_an_image_of_docker_hub_is_put_into_the_cache() -> None:
    recorder = lab(service="{image: web, deploy: {mode: global}}")
    assert recorder.one("hello-web-cached").inputs["platforms"] == ["linux/arm64"]
    assert recorder.of("DeliveredImage") == []


@pytest.mark.parametrize("image", ["ghcr.io/shop/web", "localhost:5000/web", "10.0.0.1:5080/web"])
def test_an_image_that_one_phone_pulls_or_that_is_near_is_not(image: str) -> None:
    mode = "replicas: 1" if "ghcr" in image else "mode: global"
    assert lab(service=f"{{image: '{image}', deploy: {{{mode}}}}}").of("DeliveredImage") == []


def test_where_few_of_the_phones_would_run_it_it_is_not_brought_to_all() -> None:
    def phones(replicas: int) -> list[Any]:
        service = f"{{image: ghcr.io/web, deploy: {{replicas: {replicas}}}}}"
        made = lab(service=service, names="one two three four five")
        return made.one("hello-web-delivered").inputs["phones"]

    assert len(phones(3)) == 5
    assert phones(2) == []


def test_a_platform_that_no_phone_runs_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []
    monkeypatch.setattr(pulumi, "warn", warned.append)
    recorder = lab("{context: ., platforms: [linux/riscv64, linux/arm64]}")
    assert built(recorder)["platforms"] == ["linux/riscv64", "linux/arm64"]
    assert warned == [
        "stacks.hello: services.web.build.platforms: no phone of the lab runs linux/riscv64; "
        "without it, `up` builds less"
    ]
