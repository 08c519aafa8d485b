"""What a killed run had begun is read from the state that it left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from toolchain.errors import ToolchainError
from toolchain.project import target
from toolchain.run import _check_file, _unfinished


def state(folder: Path, **operations: str) -> Path:
    pending = [
        {"resource": {"urn": f"urn:pulumi:dev::cloudlet::some:Type::{name}"}, "type": kind}
        for name, kind in operations.items()
    ]
    path = folder / ".pulumi" / "stacks" / "cloudlet" / "dev.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"checkpoint": {"latest": {"pending_operations": pending}}}))
    return folder


def test_what_was_being_created_is_told_apart_from_what_was_being_deleted(tmp_path: Path) -> None:
    folder = state(tmp_path, web="creating", db="deleting", proxy="updating")
    assert _unfinished(folder, "cloudlet", "dev", ("creating",)) == ["web"]
    assert _unfinished(folder, "cloudlet", "dev", ("updating", "deleting")) == ["db", "proxy"]


def test_a_stack_that_was_never_deployed_has_nothing_unfinished(tmp_path: Path) -> None:
    path = state(tmp_path) / ".pulumi" / "stacks" / "cloudlet" / "dev.json"
    path.write_text(json.dumps({"version": 3, "checkpoint": {"latest": None}}))
    assert _unfinished(tmp_path, "cloudlet", "dev", ("creating",)) == []


def test_a_stack_whose_file_is_gone_is_told_so_before_pulumi_misses_its_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: cloudlet")
    monkeypatch.delenv("PULUMI_OPTION_CONFIG_FILE", raising=False)
    for command in ("up", "preview"):
        with pytest.raises(ToolchainError, match=r"there is no Pulumi\.school\.yaml: make one"):
            _check_file(target([command, "--stack", "school"], tmp_path), [command])
    # These need none, and what runs must be got rid of.
    _check_file(target(["destroy", "--stack", "school"], tmp_path), ["destroy"])
    other = ["up", "--config-file", "elsewhere.yaml"]
    _check_file(target(["up", "--stack", "school"], tmp_path), other)
    (tmp_path / "Pulumi.school.yaml").write_text("config:")
    _check_file(target(["up", "--stack", "school"], tmp_path), ["up"])
