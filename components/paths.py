"""Paths as any machine with this checkout understands them. Pure."""

from __future__ import annotations

from pathlib import Path


def portable(path: Path, root: Path) -> str:
    """A path as it is written from ``root`` or from the home: a plan must not change with it."""
    for base, prefix in ((root, ""), (Path.home(), "~/")):
        if path.is_relative_to(base):
            return prefix + path.relative_to(base).as_posix()
    return path.as_posix()
