"""Where a service may land, and what its owner is warned of."""

from __future__ import annotations

import pytest

from components.compose import Mount, Placement, Service, StackSpec
from components.services.placement import Node, candidates, warnings

NODES = [
    Node(name="one", role="manager", labels={"shelf": "top"}, architecture="armv7l"),
    Node(name="two", role="worker", labels={"shelf": "low"}, architecture="aarch64"),
    Node(name="three", role="worker", architecture="aarch64"),
    Node(name="four", role="worker", availability="drain", architecture="aarch64"),
]


@pytest.mark.parametrize(
    ("constraints", "names"),
    [
        ([], ["one", "two", "three"]),
        (["node.role == manager"], ["one"]),
        (["node.role==worker"], ["two", "three"]),
        (["node.role != manager", "node.labels.shelf == LOW"], ["two"]),
        (["node.labels.shelf != top"], ["two", "three"]),
        (["node.labels.cloudlet.phone == three"], ["three"]),
        (["node.labels.cloudlet.arch == armv7l"], ["one"]),
        (["node.platform.arch == aarch64", "node.platform.os == linux"], ["two", "three"]),
        (["node.platform.os == windows"], []),
        (["node.role == nothing"], []),
        (["node.hostname == phone"], None),
        (["node.hostname == phone", "node.role == nothing"], []),
    ],
)
def test_swarms_constraints_choose_among_the_phones(
    constraints: list[str], names: list[str] | None
) -> None:
    found = candidates(Placement(constraints=tuple(constraints)), NODES)
    assert (found and [node.name for node in found]) == (names if names != [] else [])


def test_an_architecture_that_is_not_known_yet_is_no_answer() -> None:
    constraint = Placement(constraints=("node.platform.arch == aarch64",))
    assert candidates(constraint, [Node(name="one", role="manager")]) is None


DATA = (Mount(type="volume", source="shop_data", target="/data"),)
TOP = Placement(constraints=("node.labels.shelf == top",))


def told(**changes: object) -> list[str]:
    service = Service(name="db", image="db", **changes)  # pyright: ignore[reportArgumentType]
    return warnings(StackSpec(name="shop", services={"db": service}), NODES)


def test_a_volume_of_a_service_that_may_move_is_named_with_the_way_to_pin_it() -> None:
    (line,) = told(mounts=DATA)
    assert line.startswith("stacks.shop: services.db: its volume shop_data stays on the phone")
    assert "one, two, three" in line
    assert line.endswith("[node.labels.cloudlet.phone == one]")


@pytest.mark.parametrize(
    "harmless",
    [
        {"mounts": DATA, "placement": TOP},
        {"mounts": DATA, "mode": "global"},
        {"mounts": DATA, "placement": Placement(constraints=("node.hostname == one",))},
        {"mounts": (Mount(type="volume", target="/scratch"),)},
        {"mounts": (Mount(type="bind", source="/srv", target="/srv"),)},
        {"mounts": (Mount(type="volume", source="v", target="/v", volume_driver="nfs"),)},
    ],
)
def test_data_that_cannot_be_left_behind_is_no_warning(harmless: dict[str, object]) -> None:
    assert told(**harmless) == []


def test_a_service_that_no_phone_takes_is_told_before_it_is_waited_for() -> None:
    nowhere = Placement(constraints=("node.labels.gpu == true",))
    (line,) = told(placement=nowhere)
    assert "no phone meets its constraints (node.labels.gpu == true)" in line
    assert told(placement=nowhere, mode="global") == [line]
    assert told(placement=nowhere, replicas=0) == []
