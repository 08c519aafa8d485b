"""Which stack a command line is about, and which versions of Pulumi will do."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolchain.errors import ToolchainError
from toolchain.golang import required_version
from toolchain.project import file_backend, state_file, target
from toolchain.versions import compatible, parse


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: cloudlet\n")
    return tmp_path


@pytest.mark.parametrize(
    ("line", "stack"),
    [
        ("up --stack lab --yes", "lab"),
        ("--stack lab up", "lab"),
        ("up -s lab", "lab"),
        ("preview --stack=lab", "lab"),
        ("up --yes", "dev"),
        ("--color never up", "dev"),
        ("stack output --json", "dev"),
        ("config get password", "dev"),
        ("stack init lab", None),
        ("stack ls", None),
        ("version", None),
        ("", None),
    ],
)
def test_a_command_line_names_its_stack(checkout: Path, line: str, stack: str | None) -> None:
    assert target(line.split(), checkout).stack == stack


@pytest.mark.parametrize("arguments", [["up", "--stack", ""], ["up", "--stack="]])
def test_a_stack_without_a_name_is_not_taken_for_the_usual_one(
    checkout: Path, arguments: list[str]
) -> None:
    with pytest.raises(ToolchainError, match="--stack names no lab"):
        target(arguments, checkout)


def test_the_project_is_the_one_of_the_directory_that_is_asked_for(checkout: Path) -> None:
    assert target(["-C", str(checkout), "up"], Path("/")).project == "cloudlet"


def test_without_a_project_the_error_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match=f"no Pulumi.yaml in {tmp_path}"):
        target(["up"], tmp_path)


def test_only_a_file_backend_has_locks_to_look_at() -> None:
    assert file_backend({"PULUMI_BACKEND_URL": "file:///state?metadata=skip"}) == Path("/state")
    assert file_backend({"PULUMI_BACKEND_URL": "s3://bucket"}) is None
    assert file_backend({}) is None


def test_a_stack_that_was_never_made_has_no_state(tmp_path: Path) -> None:
    directory = tmp_path / ".pulumi" / "stacks" / "cloudlet"
    directory.mkdir(parents=True)
    (directory / "dev.json").touch()
    assert state_file(tmp_path, "cloudlet", "dev") == directory / "dev.json"
    assert state_file(tmp_path, "cloudlet", "lab") is None


@pytest.mark.parametrize(
    ("text", "works"),
    [
        ("v3.259.0", True),
        ("v3.230.0\n", True),
        ("v3.229.9", False),
        ("v4.0.0", False),
        ("v3.300.1-alpha.x123", True),
        ("v3.100.0\nwarning: A new version of Pulumi is available: 3.259.0", False),
    ],
)
def test_pulumi_from_3_230_up_to_4_will_do(text: str, works: bool) -> None:
    version = parse(text)
    assert version is not None
    assert compatible(version) is works


def test_a_program_that_tells_no_version_is_not_pulumi() -> None:
    assert parse("command not found") is None


def test_go_is_asked_for_in_the_version_of_go_mod() -> None:
    assert required_version("module x\n\ngo 1.26.1\n") == (1, 26, 1)
