"""Runs that start at the same instant: each sees whether the one before it has the stack.

Pulumi takes its lock some tenths of a second after it has started. Whoever looked for a lock in
that time found none, and was then refused in Pulumi's words, which tell nobody what to do.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.05


def wait_for_turn(file: Path) -> None:
    """Be the only run that starts with this `file`; whoever else does so waits here.

    The turn ends when this process does, or becomes another program; see `end_turn_when`.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    # Kept open: the lock is gone with it.
    turn = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    fcntl.flock(turn, fcntl.LOCK_EX)


def end_turn_when(has_lock: Callable[[int], bool]) -> None:
    """Keep the turn beyond this process becoming another program, until that one has its lock.

    `has_lock` is asked with this process' id, by a child that keeps the turn meanwhile.
    """
    program = os.getpid()
    if os.fork():
        return
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            # Who reads what the program prints must not wait for this process as well.
            os.dup2(nothing, stream)
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline and os.getppid() == program and not has_lock(program):
            time.sleep(_LOOK_SECONDS)
    finally:
        os._exit(0)
