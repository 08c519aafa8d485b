"""What a plan says of a service's definition: the parts that differ, and no secret."""

from __future__ import annotations

from dataclasses import replace

from components import plan_words
from components.compose import Service
from components.services.fingerprints import is_digest, spec_digest, spec_parts

WEB = Service(
    name="shop_web",
    image="docker.io/library/web:1",
    environment={"PASSWORD": 'hun"ter2', "COLOUR": "blue"},
)
SECRETS = frozenset({'hun"ter2'})


def told(was: Service, is_: Service, *contents: str) -> list[str]:
    before, after = spec_parts(was, [], SECRETS), spec_parts(is_, contents, SECRETS)
    return plan_words.service(before, after)


def test_each_part_is_called_as_the_compose_file_calls_it() -> None:
    labels = {"com.docker.stack.image": "web:2"}
    changed = replace(
        WEB, image="web:2", labels=labels, container_labels={"a": "b"}, stop_grace_period=1
    )
    assert told(WEB, changed) == ["image web:1 → web:2", "labels", "stop grace period"]
    assert told(changed, WEB) == ["image web:2 → web:1", "labels", "stop grace period"]
    assert told(WEB, WEB, "shop_key-1") == ["content of its secrets and configs"]


def test_a_scaling_is_no_other_definition() -> None:
    assert told(WEB, replace(WEB, replicas=5)) == []


def test_a_secret_in_a_part_cannot_be_tried_out_fast_nor_read() -> None:
    with_secret = spec_parts(WEB, [], SECRETS)["environment"]
    assert with_secret != spec_parts(WEB, [], frozenset())["environment"]
    named = replace(WEB, image='registry/hun"ter2:1')
    assert "hun" not in spec_parts(named, [], SECRETS)["image"]


def test_a_digest_is_told_from_what_a_refresh_writes_in_its_place() -> None:
    assert is_digest(spec_digest(WEB, []))
    assert not is_digest("shop_web: 1 of 2 tasks run")
