"""A state that a killed run left half-written is put back from Pulumi's own copy."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolchain.checkpoint import restore
from toolchain.errors import ToolchainError

WHOLE = '{"version": 3}'


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A whole copy, and no state."""
    path = tmp_path / ".pulumi" / "stacks" / "dev.json"
    path.parent.mkdir(parents=True)
    (path.parent / "dev.json.bak").write_text(WHOLE)
    return path


@pytest.mark.parametrize("left", ["", '{"version": 3, "checkpoi', "[]"])
def test_a_damaged_state_is_put_back_whoever_damaged_it(state: Path, left: str) -> None:
    state.write_text(left)
    assert restore(state, killed=False)
    assert state.read_text() == WHOLE


def test_a_state_that_a_killed_run_had_taken_away_is_put_back(state: Path) -> None:
    assert restore(state, killed=True)
    assert state.read_text() == WHOLE


def test_a_stack_that_was_removed_stays_removed(state: Path) -> None:
    assert not restore(state, killed=False)
    assert not state.exists()


def test_a_whole_state_is_left_alone(state: Path) -> None:
    state.write_text('{"version": 4}')
    assert not restore(state, killed=True)
    assert state.read_text() == '{"version": 4}'


def test_a_first_run_that_was_killed_has_nothing_to_put_back(state: Path) -> None:
    state.with_name("dev.json.bak").unlink()
    assert not restore(state, killed=True)


def test_where_the_copy_is_damaged_too_the_backups_are_named(state: Path) -> None:
    state.write_text("")
    state.with_name("dev.json.bak").write_text("{")
    with pytest.raises(ToolchainError, match=r"put back the newest of .*backups"):
        restore(state, killed=True)


@pytest.mark.parametrize("left", ["", '{"user.content_ty'])
def test_a_note_on_the_file_that_a_killed_run_left_half_written_is_done_without(
    state: Path, left: str
) -> None:
    """Pulumi writes it before the state itself, and fails on what is no JSON with just "EOF"."""
    state.write_text('{"version": 4}')
    notes = [state.with_name(name) for name in ("dev.json.attrs", "dev.json.bak.attrs")]
    for note in notes:
        note.write_text(left)
    assert not restore(state, killed=True)
    assert not any(note.exists() for note in notes)
    notes[0].write_text('{"md5": "x"}')
    assert not restore(state, killed=True)
    assert notes[0].exists()
