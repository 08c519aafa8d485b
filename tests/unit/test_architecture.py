"""Which builds run on which phones, and what is said where one is missing."""

from __future__ import annotations

import pytest
from pulumi.output import Unknown

from components.compatibility import CompatibilityProvider
from components.compose import Build, Placement
from components.images.architecture import choose, misfits, platform, platform_of, runs, to_build
from components.remote.ssh import PhoneError
from components.services.placement import Node

OLD = Node(name="old", role="worker", architecture="armv7l")
NEW = Node(name="new", role="manager", architecture="aarch64")
BOTH = ["linux/arm/v7", "linux/arm64"]


@pytest.mark.parametrize(
    ("node", "build", "does"),
    [
        ("armv7l", "linux/arm/v7", True),
        ("armv7l", "linux/arm/v6", True),
        ("armv7l", "linux/arm", True),
        ("armv7l", "linux/arm64", False),
        ("armv6l", "linux/arm/v7", False),
        ("armv8l", "linux/arm/v7", True),
        ("aarch64", "linux/arm64", True),
        ("aarch64", "linux/arm/v7", False),
        ("x86_64", "linux/amd64", True),
        ("x86_64", "linux/386", True),
        ("x86_64", "windows/amd64", False),
        ("riscv64", "linux/riscv64", True),
    ],
)
def test_a_processor_runs_builds_for_it_and_for_older_ones(
    node: str, build: str, does: bool
) -> None:
    assert runs(node, build) is does


def test_a_platform_is_named_as_registries_name_it() -> None:
    assert platform(os="linux", architecture="arm", variant="v7") == "linux/arm/v7"
    assert platform(os="linux", architecture="arm64", variant="v8") == "linux/arm64"


def test_an_image_without_a_build_for_a_phone_names_image_phone_and_architectures() -> None:
    assert misfits("shop:1", ["linux/arm/v7"], Placement(), [OLD, NEW]) == (
        "image shop:1 exists for linux/arm/v7 only, and the service may land on new (aarch64); "
        "keep the service away with deploy.placement.constraints: [node.platform.arch == armv7l], "
        "or use another image"
    )
    assert misfits("shop:1", ["linux/amd64"], Placement(), [NEW]).endswith("; use another image")


def test_a_build_that_leaves_a_phone_out_is_told_what_to_add() -> None:
    assert misfits("shop-web", ["linux/arm/v7"], Placement(), [OLD, NEW], built=True) == (
        "image shop-web is built for linux/arm/v7 only, and the service may land on new (aarch64); "
        "add linux/arm64 to build.platforms, or remove platforms"
    )


def test_a_constraint_that_keeps_the_service_away_is_enough() -> None:
    there = Placement(constraints=("node.platform.arch == armv7l",))
    assert misfits("shop:1", ["linux/arm/v7"], there, [OLD, NEW]) == ""
    assert misfits("shop:1", BOTH, Placement(), [OLD, NEW]) == ""


@pytest.mark.parametrize(
    ("platforms", "constraint"), [([], "node.role == worker"), (["linux/amd64"], "node.id == x")]
)
def test_what_is_not_known_stops_nobody(platforms: list[str], constraint: str) -> None:
    assert misfits("shop:1", platforms, Placement(constraints=(constraint,)), [OLD, NEW]) == ""


def inputs(**changes: object) -> dict[str, object]:
    node = {"name": "new", "role": "manager", "labels": {}, "availability": "active"}
    service = {"image": "shop:1", "platforms": ["linux/arm/v7"], "constraints": []}
    services = {"web": service | changes}
    return {
        "stack": "shop",
        "services": services,
        "nodes": [node | {"architecture": "aarch64"}, node | {"name": "x"}],
    }


def test_a_plan_is_refused_with_the_place_in_the_stack_first() -> None:
    """Of a failure in Pulumi's own form, the type and name of a resource would come before it."""
    with pytest.raises(PhoneError) as caught:
        CompatibilityProvider().check({}, inputs())
    (line,) = str(caught.value).splitlines()
    assert line.startswith("stacks.shop: services.web: image shop:1 exists for linux/arm/v7 only")


@pytest.mark.parametrize("platforms", [Unknown(), None, [], ["linux/arm64"]])
def test_a_plan_that_knows_of_no_misfit_goes_on(platforms: object) -> None:
    check = CompatibilityProvider().check
    for news in (inputs(platforms=platforms), inputs() | {"nodes": Unknown()}):
        assert (check({}, news).inputs, check({}, news).failures) == (news, [])


PHONES = [
    Node(name="old", role="manager", architecture="armv7l"),
    Node(name="new", role="worker", architecture="aarch64", labels={"shelf": "top"}),
    Node(name="spare", role="worker", architecture="x86_64", availability="drain"),
]


@pytest.mark.parametrize(
    ("constraints", "platforms"),
    [
        ((), ["linux/arm/v7", "linux/arm64"]),
        (("node.role == worker",), ["linux/arm64"]),
        (("node.labels.shelf == top",), ["linux/arm64"]),
        (("node.platform.arch == armv7l",), ["linux/arm/v7"]),
        # What only the phones know, or nobody meets now, may come to be met anywhere.
        (("node.hostname == old",), ["linux/amd64", "linux/arm/v7", "linux/arm64"]),
        (("node.labels.shelf == none",), ["linux/amd64", "linux/arm/v7", "linux/arm64"]),
    ],
)
def test_an_image_is_built_for_exactly_the_phones_on_which_it_may_run(
    constraints: tuple[str, ...], platforms: list[str]
) -> None:
    placement = Placement(constraints=constraints)
    assert to_build(Build(context="."), placement, PHONES) == (platforms, [])


def test_what_its_author_insists_on_is_built_and_what_no_phone_runs_is_told() -> None:
    build = Build(context=".", platforms=("linux/riscv64", "linux/arm/v6", "linux/arm64"))
    assert to_build(build, Placement(), PHONES) == (list(build.platforms), ["linux/riscv64"])


@pytest.mark.parametrize("node", ["x86_64", "i686", "aarch64", "armv8l", "armv7l", "armv6l"])
def test_what_is_built_for_a_phone_runs_on_it(node: str) -> None:
    assert runs(node, platform_of(node))


@pytest.mark.parametrize(
    ("platforms", "builds", "chosen"),
    [
        (["linux/arm/v7", "linux/amd64"], ["linux/amd64", "linux/arm/v7"], None),
        (["linux/arm/v7"], ["linux/arm/v5", "linux/arm/v6", "linux/arm64"], ["linux/arm/v6"]),
        (["linux/arm64"], ["linux/arm/v7"], []),
        (["linux/arm/v7", "linux/arm/v6"], ["linux/arm/v6"], ["linux/arm/v6"]),
    ],
)
def test_a_phone_pulls_its_own_build_or_the_newest_that_it_runs(
    platforms: list[str], builds: list[str], chosen: list[str] | None
) -> None:
    assert choose(platforms, builds) == (platforms if chosen is None else chosen)
