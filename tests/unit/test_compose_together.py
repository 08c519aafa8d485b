"""Stacks of one lab never take each other's names, data or ports."""

from __future__ import annotations

import pytest

from components.compose import StackSpec, conflicts, load


def stacks(**files: str) -> dict[str, StackSpec]:
    """Stacks by name; ``__`` in a keyword stands for a hyphen."""
    return {
        name: load(
            text, source=f"{name}.yml", stack=name, variables={"P": "x"}, read=lambda path: path
        )
        for name, text in ((key.replace("__", "-"), text) for key, text in files.items())
    }


WEB = "services: {web: {image: shop}}"


def test_stacks_of_one_file_do_not_meet() -> None:
    text = """
        services: {web: {image: shop, volumes: ['data:/data'], networks: [front], secrets: [s]}}
        networks: {front: {}}
        volumes: {data: {}}
        secrets: {s: {environment: P}}
    """
    assert conflicts(stacks(a=text, b=text)) == []


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (
            {"a": "services: {b-c: {image: shop}}"},
            {"a__b": "services: {c: {image: shop}}"},
            "stacks.a-b: the service c would be called a-b-c in Pulumi, as the service b-c of the "
            "stack a is; rename one of the two",
        ),
        (
            {"a": "services: {b_c: {image: shop}}"},
            {"a_b": "services: {c: {image: shop}}"},
            "stacks.a_b: the service c would be called a_b_c in Swarm, as the service b_c of the "
            "stack a is; rename one of the two",
        ),
        (
            {"a": WEB + "\nsecrets: {b-c: {environment: P}}"},
            {"a__b": WEB + "\nsecrets: {c: {environment: P}}"},
            "stacks.a-b: the secret c would be called a-b-c in Pulumi, as the secret b-c of the "
            "stack a is; rename one of the two",
        ),
        (
            {"a": WEB + "\nconfigs: {one: {environment: P, name: page}}"},
            {"b": WEB + "\nconfigs: {two: {environment: P, name: page}}"},
            "stacks.b: the config two would be called page in Swarm, as the config one of the "
            "stack a is; rename one of the two",
        ),
        (
            {"a": "services: {web: {image: shop, networks: [n]}}\nnetworks: {n: {name: front}}"},
            {"b": "services: {web: {image: shop, networks: [n]}}\nnetworks: {n: {name: front}}"},
            "stacks.b: the network n would be called front in Swarm, as the network n of the "
            "stack a is; rename one of the two",
        ),
        (
            {"a": "services: {web: {image: shop, volumes: ['b_disk:/d']}}\nvolumes: {b_disk: }"},
            {"a_b": "services: {web: {image: shop, volumes: ['disk:/d']}}\nvolumes: {disk: }"},
            "stacks.a_b: the volume disk would be called a_b_disk in Swarm, as the volume b_disk "
            "of the stack a is; rename one of the two",
        ),
    ],
    ids=["pulumi", "swarm", "secret", "config", "network", "volume"],
)
def test_two_things_of_one_name_are_refused(
    first: dict[str, str], second: dict[str, str], told: str
) -> None:
    assert conflicts(stacks(**first, **second)) == [told]


def test_what_is_shared_on_purpose_is_no_conflict() -> None:
    text = """
        services: {web: {image: shop, volumes: ['own:/v', 'far:/w'], networks: [n], secrets: [s]}}
        networks: {n: {external: true, name: front}}
        volumes: {own: {name: shared}, far: {external: true}}
        secrets: {s: {external: true, name: password}}
    """
    assert conflicts(stacks(a=text, b=text)) == []


def test_a_port_belongs_to_one_stack() -> None:
    text = "services: {web: {image: shop, ports: ['80:80', '81:81/udp', '82']}}"
    assert conflicts(stacks(a=text, b=text)) == [
        "stacks.b: b_web publishes port 80, which a_web publishes already; publish another",
        "stacks.b: b_web publishes port 81, which a_web publishes already; publish another",
    ]
