"""A plugin's end: quiet when asked, certain when the engine is gone."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from types import FrameType
from typing import Final

_LOOK_SECONDS: Final = 1.0


def end_with_engine() -> None:
    """End this process without a word on SIGINT or SIGTERM, and when its parent has died.

    The engine asks with SIGINT; killed with -9 it asks nobody, and the plugin would live on.
    Call it once, from the main thread, before serving.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    parent = os.getppid()
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def leave() -> None:
    """End now. Threads that still wait for a phone must not hold the process back."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _leave(_signal: int, _frame: FrameType | None) -> None:
    leave()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os._exit(0)
