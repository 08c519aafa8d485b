"""Every form of a compose file against the typed stack it must turn into."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.compose_goldens import (
    GOLDEN,
    MISTAKES,
    VARIABLES,
    Mistake,
    as_json,
    cases,
    expected_file,
    loaded,
    mistakes,
    problems,
)

CASES = cases()
MISTAKEN = [
    pytest.param(item, id=f"{path.stem}: {item['about']}")
    for path in sorted(MISTAKES.glob("*.yml"))
    for item in mistakes(path)
]
DOCKER = shutil.which("docker")


@pytest.mark.parametrize("name", CASES)
def test_a_compose_file_turns_into_the_expected_stack(name: str) -> None:
    expected = expected_file(name).read_text(encoding="utf-8")
    assert as_json(loaded(CASES[name])) == expected


def test_every_expectation_belongs_to_a_compose_file() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(CASES)


@pytest.mark.parametrize("mistake", MISTAKEN)
def test_a_mistake_is_told_with_its_place_and_its_remedy(mistake: Mistake) -> None:
    told = problems(mistake["file"])
    assert told == mistake["problems"]
    assert told, "a file that is refused needs a reason"


@pytest.mark.skipif(DOCKER is None, reason="the docker CLI is not installed")
@pytest.mark.parametrize("name", sorted(set(CASES) - {"beyond_docker"}))
def test_docker_stack_config_reads_the_file_the_same(name: str) -> None:
    theirs = _docker_config(CASES[name])["services"]
    ours = json.loads(as_json(loaded(CASES[name])))["services"]
    assert set(ours) == set(theirs)
    for service, mine in ours.items():
        other = theirs[service]
        deploy = other.get("deploy") or {}
        assert mine["image"] == other["image"]
        assert mine.get("environment", {}) == other.get("environment", {})
        assert mine.get("command", []) == other.get("command", [])
        assert mine.get("entrypoint", []) == other.get("entrypoint", [])
        assert _without_stack(mine["container_labels"]) == other.get("labels", {})
        assert _without_stack(mine["labels"]) == (deploy.get("labels") or {})
        assert mine.get("sysctls", {}) == other.get("sysctls", {})
        assert [f"{host}:{address}" for host, address in mine.get("extra_hosts", [])] == other.get(
            "extra_hosts", []
        )
        assert mine.get("replicas", 1) == int(deploy.get("replicas", 1))
        assert [mount["target"] for mount in mine.get("mounts", [])] == [
            mount["target"] for mount in other.get("volumes", [])
        ]
        assert sorted(map(_port, mine.get("ports", []))) == sorted(
            map(_port, other.get("ports", []))
        )
        for kind in ("secrets", "configs"):
            assert sorted(map(_reference, mine.get(kind, []))) == sorted(
                map(_reference, other.get(kind, []))
            )


def _docker_config(path: Path) -> dict[str, Any]:
    answer = subprocess.run(
        [str(DOCKER), "stack", "config", "--compose-file", str(path)],
        env={"PATH": os.environ["PATH"], "HOME": str(path.parent), **VARIABLES},
        capture_output=True,
        text=True,
        check=False,
    )
    if "is not a docker command" in answer.stderr or "unknown flag" in answer.stderr:
        pytest.skip("this docker CLI has no `stack config`")
    assert answer.returncode == 0, answer.stderr
    # All scalars as text: that is what is compared, and Docker writes them as text where it can.
    return yaml.load(answer.stdout, yaml.BaseLoader)


def _without_stack(labels: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in labels.items() if not key.startswith("com.docker.stack.")}


def _port(port: dict[str, Any]) -> tuple[int, int, str, str]:
    return (
        int(port["target"]),
        int(port.get("published", 0)),
        port.get("protocol", "tcp"),
        port.get("mode", "ingress"),
    )


def _reference(reference: dict[str, Any]) -> tuple[str, str, str, str, int]:
    return (
        reference["source"],
        reference.get("target", reference["source"]),
        reference.get("uid", "0"),
        reference.get("gid", "0"),
        int(reference.get("mode", 0o444)),
    )
