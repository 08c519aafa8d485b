"""The little programs by which the engine starts what this checkout offers as plugins."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Final

from .layout import Layout

_MARK: Final = "made by `python -m toolchain ensure`"
_HEAD: Final = 400
# `-u`: the engine reads a plugin's output as it comes. The checkout comes last on the path, so
# that a program elsewhere finds its own modules first.
_START: Final = (
    "import runpy, sys; root, module = sys.argv[1:3]; del sys.argv[1:3]; sys.path.append(root); "
    "runpy.run_module(module, run_name='__main__', alter_sys=True)"
)


def write(path: Path, module: str, layout: Layout) -> None:
    """Make `path` an executable that runs `module` with the checkout's Python."""
    text = "\n".join(
        (
            "#!/bin/sh",
            f"# Starts {module}; {_MARK}.",
            f"exec {shlex.quote(str(layout.python))} -u -c {shlex.quote(_START)} "
            f'{shlex.quote(str(layout.root))} {module} "$@"',
            "",
        )
    )
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.chmod(0o755)
    fresh.replace(path)


def is_launcher(path: Path) -> bool:
    """Whether `path` is one of these, and not an official program of the same name."""
    with path.open("rb") as opened:
        return _MARK.encode() in opened.read(_HEAD)
