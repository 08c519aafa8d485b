"""What several unit tests start from."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_phone import SHELLS, FakePhone


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A directory that holds the one stack file of the sound configuration."""
    (tmp_path / "web.yml").touch()
    return tmp_path


@pytest.fixture(params=SHELLS)
def phone(request: pytest.FixtureRequest, tmp_path: Path) -> FakePhone:
    """One in whose shell every script is tried, and then in the other's."""
    return FakePhone(tmp_path, request.param)
