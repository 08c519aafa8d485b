"""Lines that show that something long is under way."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

_EVERY_SECONDS: Final = 5.0


@dataclass(kw_only=True)
class Progress:
    """What has been done so far; updated by whoever does it, from any thread."""

    what: str
    unit: str = ""
    done: int = 0
    total: int = 0
    started: float = field(default_factory=time.monotonic)

    def line(self) -> str:
        """Such as ``building pulumi: 412 of 1630 packages, 1:35``."""
        seconds = int(time.monotonic() - self.started)
        elapsed = f"{seconds // 60}:{seconds % 60:02}"
        if not self.unit:
            return f"{self.what}: {elapsed}"
        of = f" of {self.total}" if self.total else ""
        return f"{self.what}: {self.done}{of} {self.unit}, {elapsed}"


def say(text: str) -> None:
    """A line for the person who waits, apart from what a program may want to read."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def shown(progress: Progress) -> Iterator[Progress]:
    """Print `progress` every few seconds until the block is left."""
    ended = threading.Event()

    def tell() -> None:
        while not ended.wait(_EVERY_SECONDS):
            say(f"  {progress.line()}")

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield progress
    finally:
        ended.set()
        thread.join()
