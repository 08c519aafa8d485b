"""Names of images: as Docker writes them, so that no plan is made of the spelling."""

from __future__ import annotations

import pytest

from components.images.image_names import familiar, hub_repository

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("written", "docker_writes"),
    [
        ("postgres", "postgres:latest"),
        ("docker.io/library/postgres:14-alpine", "postgres:14-alpine"),
        ("library/postgres:14", "postgres:14"),
        ("docker.io/portainer/agent:2.33.6", "portainer/agent:2.33.6"),
        ("index.docker.io/portainer/agent:2.33.6", "portainer/agent:2.33.6"),
        ("registry.example:5000/library/web", "registry.example:5000/library/web:latest"),
        ("localhost:5000/web", "localhost:5000/web:latest"),
        (f"docker.io/library/web:1@{DIGEST}", f"web:1@{DIGEST}"),
        (f"web@{DIGEST}", f"web@{DIGEST}"),
    ],
)
def test_an_image_is_named_as_docker_names_it(written: str, docker_writes: str) -> None:
    assert familiar(written) == docker_writes


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        ("postgres:14-alpine", "library/postgres"),
        (f"docker.io/portainer/agent:2@{DIGEST}", "portainer/agent"),
        ("index.docker.io/library/web", "library/web"),
        ("ghcr.io/some/one:1", None),
        ("10.0.0.1:5080/hello/web:1", None),
        ("localhost/web", None),
    ],
)
def test_an_image_is_docker_hubs_or_another_registrys(image: str, repository: str | None) -> None:
    assert hub_repository(image) == repository
