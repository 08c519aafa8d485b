"""A plugin's end: quiet when asked, certain when the engine is gone."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Final

_LOOK_SECONDS: Final = 1.0


def end_with_engine(last: Callable[[], None] | None = None) -> None:
    """End this process without a word on SIGINT or SIGTERM, and when its parent has died.

    The engine asks with SIGINT; killed with -9 it asks nobody, and the plugin would live on.
    Call it once, from the main thread, before serving. `last` is what remains to be done at the
    end, whichever it is; it must be quick.
    """
    begun = threading.Lock()

    def leave(_signal: int = 0, _frame: FrameType | None = None) -> None:
        # Asked again during `last`, it must not start that a second time within the first.
        if not begun.acquire(blocking=False):
            return
        try:
            if last is not None:
                last()
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            # Whatever failed: nobody may be left to read it. And threads that still wait for a
            # phone must not hold the process back.
            os._exit(0)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)
    threading.Thread(target=_watch, args=(os.getppid(), leave), daemon=True).start()


def _watch(parent: int, leave: Callable[[], None]) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    leave()
