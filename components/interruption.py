"""How the program ends when the engine stops it, which it does as soon as a resource has failed."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

# By this Pulumi's language host knows that whoever watches has been told already.
TOLD = 32


def end_quietly() -> None:
    """From now on an interrupt ends this process without a word.

    Python's own answer is a traceback of some forty lines below the one that says what failed.
    Where the program shares its process with a host that has an answer of its own, that stays.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def _end(_signal: int, _frame: FrameType | None) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: threads that wait for the engine would be waited for.
    os._exit(TOLD)
