"""The state file of a `file://` backend after a run that was killed while Pulumi wrote it.

Pulumi copies the state to ``<stack>.json.bak`` and then writes it anew, in place: a kill between
leaves an empty, cut or missing file, and every later command fails on it. Beside each of the two
stands ``….attrs``, what kind of file it is: needed by nobody, but damaged it fails them as well.
"""

from __future__ import annotations

import json
from pathlib import Path

from .errors import ToolchainError


def restore(path: Path, *, killed: bool) -> bool:
    """Put the copy back where the state is damaged; whether that was done.

    The copy lacks at most what the killed run had finished last. A missing file counts as damaged
    only where a run was `killed`: otherwise somebody has removed the stack.

    Raises:
        ToolchainError: the state is damaged, and so is the copy.
    """
    copy = path.with_name(path.name + ".bak")
    for file in (path, copy):
        note = file.with_name(file.name + ".attrs")
        if note.is_file() and not _is_whole(note):
            note.unlink()
    if path.is_file():
        if _is_whole(path):
            return False
    elif not killed:
        return False
    if not _is_whole(copy):
        if not path.is_file():
            return False
        raise ToolchainError(
            f"{path} is damaged and so is its copy: put back the newest of "
            f"{path.parents[2] / 'backups'}"
        )
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(copy.read_bytes())
    fresh.replace(path)
    return True


def _is_whole(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_text(encoding="utf-8")), dict)
    except (OSError, ValueError):
        return False
