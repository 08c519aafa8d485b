"""What is said of a lab's secret in an argument of a build."""

from __future__ import annotations

import pytest

from components.compose import Build, Service, StackSpec
from components.images.build_secrets import problems, warnings

SECRETS = ("secret-token", "")


def stack(**args: str) -> StackSpec:
    web = Service(name="web", image="web", build=Build(context=".", args=args))
    plain = Service(name="db", image="db")
    return StackSpec(name="shop", services={"web": web, "db": plain})


def test_a_secret_in_an_argument_is_told_to_be_readable_in_the_image() -> None:
    assert warnings(stack(URL="https://me:secret-token@host", VERSION="1"), SECRETS) == [
        "stacks.shop: services.web.build.args.URL has a secret, and an argument stands in the "
        "image's history, which whoever reaches the lab's network can read; hand it over by "
        "build.secrets"
    ]


@pytest.mark.parametrize(
    "name", ["PATH", "HOME", "LD_PRELOAD", "DOCKER_HOST", "CONTAINERS_CONF", "XDG_RUNTIME_DIR"]
)
def test_a_secret_that_would_be_a_setting_of_the_builder_is_refused(name: str) -> None:
    assert problems(stack(**{name: "secret-token"}), SECRETS) == [
        f"stacks.shop: services.web.build.args.{name} has a secret, which a builder takes from its "
        f"environment, where {name} is one of its own settings; call the ARG otherwise, or hand it "
        "over by build.secrets"
    ]


def test_what_is_no_secret_may_be_called_as_it_likes_and_a_proxy_have_a_password() -> None:
    assert problems(stack(PATH="/opt/bin", LD_PRELOAD="x"), SECRETS) == []
    names = ("HTTPS_PROXY", "http_proxy", "TOKEN", "BUILDKIT_INLINE_CACHE", "PATHS")
    assert problems(stack(**dict.fromkeys(names, "secret-token")), SECRETS) == []
