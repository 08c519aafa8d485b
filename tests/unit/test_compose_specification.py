"""The Compose specification's schema has the last word on the form of a file."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any

import pytest

from components.compose import ComposeError, keys, load, specification
from tests.unit.compose_strategies import SERVICE_PARTS, holding, places

SCHEMA = specification.schema()
# Of the Docker CLI alone.
DOCKERS = {"cgroupns_mode", "volume_driver"}
TOP = {"networks": {"one": {}}, "volumes": {"one": {}}, "secrets": {"one": {"environment": "P"}}}


def told(document: object) -> list[str]:
    try:
        load(
            json.dumps(document),
            source="shop.yml",
            stack="shop",
            variables={"P": "x"},
            read=lambda name: b"x",
        )
    except ComposeError as error:
        return list(error.problems)
    return []


def service(**keys: Any) -> dict[str, Any]:
    return {"services": {"web": {"image": "shop", **keys}, "db": {"image": "db"}}, **TOP}


def test_the_schema_is_the_published_one() -> None:
    data = specification.FILE.read_bytes()
    digest = "d549057ebc2925f39f62799eab0db7b9e2c18b35b6c00595199116da3ed10e64"
    assert hashlib.sha256(data).hexdigest() == digest


def test_every_key_of_a_service_is_read_ignored_or_refused_for_a_reason() -> None:
    known = [keys.SERVICE_KEYS, keys.SERVICE_IGNORED, frozenset(keys.SERVICE_REFUSED)]
    assert frozenset().union(*known) == set(SERVICE_PARTS) | DOCKERS
    assert sum(map(len, known)) == len(frozenset().union(*known)), "each in one way"


def test_every_section_is_read_ignored_or_refused_for_a_reason() -> None:
    known = keys.TOP_KEYS | keys.TOP_IGNORED | set(keys.TOP_REFUSED)
    assert known == set(SCHEMA["properties"])


@pytest.mark.parametrize("key", sorted(keys.SERVICE_KEYS))
def test_no_key_below_a_key_of_a_service_is_called_unknown(key: str) -> None:
    for path in places(SERVICE_PARTS[key]):
        lines = told(service(**{key: holding(path, "x")}))
        assert not [line for line in lines if "unknown key" in line], path


@pytest.mark.parametrize("section", ["network", "volume", "secret", "config"])
def test_no_key_of_a_section_is_called_unknown(section: str) -> None:
    for path in places(SCHEMA["$defs"][section]):
        lines = told(service() | {f"{section}s": {"one": holding(path, "x")}})
        assert not [line for line in lines if "unknown key" in line], path


@pytest.mark.parametrize("key", sorted(keys.SERVICE_IGNORED))
def test_what_swarm_ignores_may_have_any_form(key: str) -> None:
    assert told(service(**{key: [{"any": "thing"}]})) == []


@pytest.mark.parametrize(
    ("keys_", "line"),
    [
        (
            {"cap_add": ["A", "A"]},
            "services.web.cap_add: has the same item twice; remove one of them",
        ),
        (
            {"deploy": {"resources": {"limits": {"memory": 67108864}}}},
            "services.web.deploy.resources.limits.memory: must be text, not 67108864; "
            'write "67108864"',
        ),
        (
            {"depends_on": {"db": {}}},
            "services.web.depends_on.db: has no condition; write condition: and its value",
        ),
        (
            {"labels": {"": "x"}},
            "services.web.labels: has an entry without a name; write one, or remove the entry",
        ),
        (
            {"extra_hosts": {"db": 5}},
            'services.web.extra_hosts.db: must be text, not 5; write "5"',
        ),
        (
            {"environment": "A=1"},
            'services.web.environment: must be a mapping or a list, not "A=1"',
        ),
        ({"x-note": {"any": ["thing"]}}, None),
        ({"environment": None, "networks": None, "ports": None, "command": None}, None),
    ],
)
def test_a_form_outside_the_specification_is_told_once(
    keys_: dict[str, Any], line: str | None
) -> None:
    assert told(service(**keys_)) == ([] if line is None else [f"shop.yml: {line}"])


def test_a_missing_variable_is_told_once_and_not_as_a_wrong_form() -> None:
    lines = told(service(cap_add=["${GONE}", "${GONE}"], stop_signal="${GONE}"))
    assert len(lines) == 1
    assert "variable GONE is not defined (2 more places use it)" in lines[0]


def test_fifty_full_services_are_checked_in_a_second() -> None:
    one = service(
        environment={f"V{number}": "x" for number in range(30)},
        deploy={"resources": {"limits": {"memory": "64M"}}, "labels": {"a": "b"}},
        healthcheck={"test": ["CMD", "true"], "interval": "5s"},
        ports=["80"],
    )["services"]["web"]
    document = {"services": {f"s{number}": one for number in range(50)}}
    started = time.process_time()
    assert told(document) == []
    assert time.process_time() - started < 1
