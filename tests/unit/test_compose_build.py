"""What a service says of its build, where the lab builds images, and where it does not."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from components.compose import Build, ComposeError, ComposeFile, Service, StackSpec, load_files

PLATFORMS = (
    "linux/ and one of 386, amd64, arm, arm64, loong64, mips, mips64, mips64le, mipsle, ppc64, "
    "ppc64le, riscv64, s390x"
)
VARIABLES = {"VERSION": "1.2", "TOKEN": "secret-token"}


SECRETS = {"npm": {"environment": "TOKEN"}, "theirs": {"external": True}}


def stack(*services: Any, builds: bool = True, secrets: Any = None) -> StackSpec:
    """The stack of a service ``web``, of which each file says something."""
    return load_files(
        [
            ComposeFile(
                source=f"{number}.yml",
                text=yaml.safe_dump({"services": {"web": service}, "secrets": secrets or {}}),
            )
            for number, service in enumerate(services)
        ],
        stack="shop",
        variables=VARIABLES,
        read=lambda _: b"",
        builds=builds,
    )


def web(*services: Any) -> Service:
    return stack(*services).services["web"]


def problems(*services: Any, builds: bool = True, secrets: Any = None) -> list[str]:
    with pytest.raises(ComposeError) as caught:
        stack(*services, builds=builds, secrets=secrets)
    return list(caught.value.problems)


def test_a_folder_alone_is_a_context() -> None:
    assert web({"build": "./web"}).build == Build(context="./web")


def test_everything_that_is_taken_over() -> None:
    built = web(
        {
            "build": {
                "context": "web",
                "dockerfile": "arm.Dockerfile",
                "target": "page",
                "args": {"VERSION": "${VERSION}", "DEBUG": 1, "TOKEN": None, "NOBODYS": None},
                "platforms": ["linux/arm", "linux/arm64/v8", "linux/amd64", "linux/arm/v7"],
            }
        }
    )
    assert built.build == Build(
        context="web",
        dockerfile="arm.Dockerfile",
        target="page",
        args={"VERSION": "1.2", "DEBUG": "1", "TOKEN": "secret-token"},
        platforms=("linux/arm/v7", "linux/arm64", "linux/amd64"),
    )


def test_an_image_without_a_name_is_called_as_by_docker_compose() -> None:
    assert web({"build": "."}).image == "shop-web"
    assert web({"build": ".", "image": "web:2"}).image == "web:2"


def test_every_processor_that_linux_runs_on_may_be_built_for() -> None:
    platforms = ["linux/riscv64", "linux/arm64/v9", "linux/amd64/v3", "linux/arm/v6", "linux/386"]
    made = web({"build": {"platforms": platforms}}).build
    assert made is not None
    assert list(made.platforms) == platforms


def test_what_only_makes_a_build_quicker_is_ignored() -> None:
    spec = stack({"build": {"context": ".", "cache_from": ["web:1"], "pull": True}})
    assert spec.warnings == (
        "0.yml: Swarm ignores services.web.build.cache_from, services.web.build.pull",
    )


def test_a_later_file_goes_over_a_build_key_by_key() -> None:
    built = web(
        {"build": {"context": "web", "args": {"A": "1", "B": "1"}}},
        {"build": {"target": "page", "args": ["B=2"]}},
        {"build": "other"},
    ).build
    assert built == Build(context="other", target="page", args={"A": "1", "B": "2"})


@pytest.mark.parametrize(
    ("build", "told"),
    [
        ({"contxt": "."}, "services.web.build.contxt: unknown key; write context"),
        (
            {"context": ".", "ssh": ["default"]},
            "services.web.build.ssh: is not taken over; hand a key over by secrets, or fetch into "
            "the context beforehand",
        ),
        (
            "https://example.org/web.git",
            'services.web.build: "https://example.org/web.git" is not a folder; write one, seen '
            "from the compose file",
        ),
        (
            {"context": "github.com/some/one"},
            'services.web.build.context: "github.com/some/one" is not a folder; write one, seen '
            "from the compose file",
        ),
        (
            {"platforms": ["windows/amd64"]},
            'services.web.build.platforms[0]: "windows/amd64" is no platform of a phone; write '
            f"{PLATFORMS}",
        ),
        (
            {"platforms": ["linux/arm46"]},
            'services.web.build.platforms[0]: "linux/arm46" is no platform of a phone; write '
            "linux/arm64",
        ),
        (
            {"platforms": ["linux/amd64", "linux/aarch64"]},
            'services.web.build.platforms[1]: "linux/aarch64" is no platform of a phone; write '
            "linux/arm64",
        ),
        (
            {"platforms": ["linux/potato"]},
            'services.web.build.platforms[0]: "linux/potato" is no platform of a phone; write '
            f"{PLATFORMS}",
        ),
        (
            {"platforms": ["linux/arm/v17"]},
            'services.web.build.platforms[0]: "linux/arm/v17" is no platform of a phone; write '
            "linux/arm/v5, linux/arm/v6, linux/arm/v7 or linux/arm/v8",
        ),
        (
            {"platforms": ["linux/386/v1"]},
            'services.web.build.platforms[0]: "linux/386/v1" is no platform of a phone; write '
            "linux/386",
        ),
        (
            {"dockerfile": ""},
            "services.web.build.dockerfile: is empty; write something, or remove the key",
        ),
        (
            [],
            "services.web.build: must be a mapping, not a list",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(build: Any, told: str) -> None:
    assert problems({"build": build}) == [f"0.yml: {told}"]


def test_without_a_registry_a_build_is_ignored_as_by_docker_stack_deploy() -> None:
    spec = stack({"build": {"context": ".", "ssh": ["default"]}, "image": "web"}, builds=False)
    assert spec.services["web"].build is None
    assert spec.warnings == ("0.yml: Swarm ignores services.web.build",)


def test_without_a_registry_a_build_without_an_image_is_a_mistake() -> None:
    assert problems({"build": "."}, builds=False) == [
        "0.yml: services.web.build: the phones need a registry to have the image from; write "
        "`cloudlet:registry: {phone: phone-1}` into the lab's file, or push the image yourself and "
        "write image: and its name here"
    ]


def test_no_argument_of_a_build_is_shown() -> None:
    built = web({"build": {"args": {"TOKEN": "${TOKEN}"}}})
    assert "secret-token" not in repr(built)


def test_a_secret_of_a_build_goes_by_the_id_that_the_dockerfile_has_for_it() -> None:
    built = stack(
        {"build": {"secrets": ["npm"]}},
        {"build": {"secrets": [{"source": "npm", "target": "npmrc", "mode": 0o400}]}},
        secrets=SECRETS,
    )
    made = built.services["web"].build
    assert made is not None
    assert {key: content.data for key, content in made.secrets.items()} == {
        "npm": b"secret-token",
        "npmrc": b"secret-token",
    }
    assert "secret-token" not in repr(built)


def test_a_secret_that_only_builds_need_comes_to_no_phone() -> None:
    build = {"build": {"secrets": ["npm"]}}
    assert set(stack(build, secrets=SECRETS).secrets) == {"theirs"}
    assert set(stack(build | {"secrets": ["npm"]}, secrets=SECRETS).secrets) == {"npm", "theirs"}
    ignored = stack(build | {"image": "web"}, builds=False, secrets=SECRETS)
    assert set(ignored.secrets) == {"npm", "theirs"}, "as by docker stack deploy"


@pytest.mark.parametrize(
    ("secret", "told"),
    [
        (
            "nmp",
            '"nmp": the file has no such secret; write it at the top level: secrets',
        ),
        (
            "theirs",
            '"theirs" is external, and Swarm hands no secret out; write it at the top level with '
            "environment: or file:",
        ),
    ],
)
def test_a_secret_that_a_build_cannot_have_is_told(secret: str, told: str) -> None:
    assert problems({"build": {"secrets": [secret]}}, secrets=SECRETS) == [
        f"0.yml: services.web.build.secrets[0]: {told}"
    ]


def test_an_id_that_a_builder_would_read_otherwise_is_told() -> None:
    secrets = [{"source": "npm", "target": "a,b"}, {"target": "npm"}]
    assert problems({"build": {"secrets": secrets}}, secrets=SECRETS) == [
        '0.yml: services.web.build.secrets[0].target: "a,b" is no id; write letters, digits, _, . '
        "and - only",
        "0.yml: services.web.build.secrets[1]: has no source; write source: and the secret's name",
    ]
