"""daemon.json: ours goes into the owner's file and comes out again without a trace."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.images.registry_place import RegistryPlace
from components.phones import daemon_json

OURS = daemon_json.wanted(
    registry_mirror="http://10.0.0.2:5000", log_max_size="5m", log_max_files=2
)


def test_an_http_mirror_is_also_trusted_without_tls() -> None:
    assert OURS["registry-mirrors"] == ["http://10.0.0.2:5000"]
    assert OURS["insecure-registries"] == ["10.0.0.2:5000"]


def test_an_https_mirror_is_not_made_insecure() -> None:
    keys = daemon_json.wanted(
        registry_mirror="https://mirror.lan", log_max_size="5m", log_max_files=2
    )
    assert "insecure-registries" not in keys


def test_without_a_mirror_only_logs_are_bounded() -> None:
    keys = daemon_json.wanted(registry_mirror=None, log_max_size="1m", log_max_files=3)
    assert keys == {"log-driver": "local", "log-opts": {"max-size": "1m", "max-file": "3"}}


FOUND: list[dict[str, Any]] = [
    {},
    {"data-root": "/data", "registry-mirrors": ["http://theirs"]},
    {"registry-mirrors": ["http://10.0.0.2:5000"], "log-driver": "journald"},
    {"insecure-registries": []},
    {"registry-mirrors": None},
]


@pytest.mark.parametrize("found", FOUND)
def test_what_was_there_comes_back_when_ours_is_taken_out(found: dict[str, Any]) -> None:
    merged = daemon_json.merge(found, OURS)
    assert daemon_json.unmerge(merged, OURS, found) == found


@pytest.mark.parametrize("found", FOUND)
def test_merging_twice_is_merging_once(found: dict[str, Any]) -> None:
    merged = daemon_json.merge(found, OURS)
    assert daemon_json.merge(merged, OURS) == merged


def test_the_owners_other_keys_and_mirrors_stay() -> None:
    merged = daemon_json.merge({"data-root": "/data", "registry-mirrors": ["http://theirs"]}, OURS)
    assert merged["data-root"] == "/data"
    assert merged["registry-mirrors"] == ["http://theirs", "http://10.0.0.2:5000"]


def test_a_key_that_the_owner_changed_since_is_theirs() -> None:
    merged = daemon_json.merge({}, OURS) | {"log-driver": "journald"}
    assert daemon_json.unmerge(merged, OURS, {})["log-driver"] == "journald"


@pytest.mark.parametrize("text", ["{", "[]", '"x"', "{'a': 1}"])
def test_a_broken_file_is_refused(text: str) -> None:
    with pytest.raises(daemon_json.DaemonJsonError):
        daemon_json.parse(text)


def test_a_missing_file_is_an_empty_one_and_back() -> None:
    assert daemon_json.parse("") == {}
    assert daemon_json.dump({}) == ""
    assert json.loads(daemon_json.dump(OURS)) == OURS


@pytest.mark.parametrize("value", ['"http://x"', '{"a": 1}'])
def test_a_mirror_that_is_no_list_is_said_to_be_none(value: str) -> None:
    with pytest.raises(daemon_json.DaemonJsonError, match="has no list as registry-mirrors"):
        daemon_json.parse(f'{{"registry-mirrors": {value}}}')


REGISTRY = RegistryPlace(phone="phone-1", address="10.0.0.1", port=5080)


def test_the_labs_cache_is_asked_before_its_mirror() -> None:
    keys = daemon_json.wanted(
        registry_mirror="https://mirror.lan", log_max_size="5m", log_max_files=2, registry=REGISTRY
    )
    assert keys["registry-mirrors"] == ["http://10.0.0.1:5082", "https://mirror.lan"]
    assert keys["insecure-registries"] == ["10.0.0.1:5080", "10.0.0.1:5082"]


@pytest.mark.parametrize(
    ("current", "new", "is_reloaded"),
    [
        ({}, {"registry-mirrors": ["http://a"]}, True),
        ({"registry-mirrors": ["http://a"]}, {"registry-mirrors": ["http://b"]}, True),
        ({"log-driver": "local"}, {"log-driver": "local", "insecure-registries": ["a"]}, True),
        ({"registry-mirrors": ["http://a"]}, {}, False),
        ({"log-driver": "local"}, {"log-driver": "journald"}, False),
        ({}, {"registry-mirrors": ["http://a"], "log-driver": "local"}, False),
    ],
)
def test_docker_is_restarted_only_for_what_it_does_not_take_up_otherwise(
    current: dict[str, Any], new: dict[str, Any], is_reloaded: bool
) -> None:
    assert daemon_json.is_reloaded(current, new) is is_reloaded
