"""What several unit tests start from."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A directory that holds the one stack file of the sound configuration."""
    (tmp_path / "web.yml").touch()
    return tmp_path
