"""Every form of a compose file against the typed stack it must turn into."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from components.compose import StackSpec, load
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
    assert as_json(loaded(*CASES[name])) == expected


def test_every_expectation_belongs_to_a_compose_file() -> None:
    expected = {str(path.relative_to(GOLDEN).with_suffix("")) for path in GOLDEN.rglob("*.json")}
    assert expected == set(CASES)


@pytest.mark.parametrize("mistake", MISTAKEN)
def test_a_mistake_is_told_with_its_place_and_its_remedy(mistake: Mistake) -> None:
    told = problems(mistake)
    assert told == mistake["problems"]
    assert told, "a file that is refused needs a reason"


@pytest.mark.skipif(DOCKER is None, reason="the docker CLI is not installed")
@pytest.mark.parametrize("name", sorted(set(CASES) - {"beyond_docker"}))
def test_what_docker_makes_of_the_files_is_the_same_stack(name: str) -> None:
    """``docker stack config`` writes its reading as one file, which must then read the same."""
    folder = CASES[name][0].parent
    # A dollar sign that is left means itself.
    text = _docker_config(CASES[name]).replace("$", "$$")
    theirs = load(
        text,
        source="config.yml",
        stack="shop",
        variables=VARIABLES,
        read=lambda path: (folder / path).read_bytes(),
    )
    assert _comparable(theirs) == _comparable(loaded(*CASES[name]))


def _docker_config(paths: list[Path]) -> str:
    files = [word for path in paths for word in ("--compose-file", str(path))]
    answer = subprocess.run(
        [str(DOCKER), "stack", "config", *files],
        env={"PATH": os.environ["PATH"], "HOME": str(paths[0].parent), **VARIABLES},
        capture_output=True,
        text=True,
        check=False,
    )
    if "is not a docker command" in answer.stderr or "unknown flag" in answer.stderr:
        pytest.skip("this docker CLI has no `stack config`")
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def _comparable(spec: StackSpec) -> StackSpec:
    """Without what is told to a person, as the files' names and lines differ, and without the name
    of a secret that to Docker is external and to us is not."""
    secrets = {
        key: replace(content, name=key, pinned_name=False)
        if content.name in (key, f"shop_{key}")
        else content
        for key, content in spec.secrets.items()
    }
    return replace(spec, secrets=secrets, warnings=())
