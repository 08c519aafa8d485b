"""How every command of this checkout ends: an exit code, and a sentence for what went wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable

STOPPED = 130


def exit_code(
    act: Callable[[], int | None],
    *expected: type[Exception],
    stopped: str = "",
    prefix: str = "",
) -> int:
    """What `act` returns, 0 for nothing; 1 for an `expected` error, 130 for Ctrl-C.

    The error's own lines go to the standard error, and so does `stopped` after Ctrl-C. Any other
    error is a mistake of ours and keeps its traceback.
    """
    try:
        return act() or 0
    except expected as error:
        _tell(str(error), prefix)
        return 1
    except KeyboardInterrupt:
        _tell(stopped, prefix)
        return STOPPED


def _tell(text: str, prefix: str) -> None:
    for line in text.splitlines():
        print(f"{prefix}{line}", file=sys.stderr)
