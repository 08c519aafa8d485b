"""The folder of one build."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from components.images.scratch import scratch


def test_what_a_killed_build_left_goes_with_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = tmp_path / f"cloudlet-build-{ended.pid}-x"
    left.mkdir()
    (left / "image.tar").write_text("much")
    others = [tmp_path / "cloudlet-build-1-x", tmp_path / "cloudlet-build-notes"]
    for each in others:
        each.mkdir()
    with scratch() as first, scratch() as second:
        assert not left.exists()
        assert first.is_dir()
        assert second.is_dir()
        assert first != second
    assert sorted(tmp_path.iterdir()) == others
