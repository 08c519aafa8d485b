"""One command, measured: how long, how much memory, and when it printed what."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

EVERY_SECONDS = 0.2
MOST_SECONDS = 900.0


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of output, ``at`` seconds after the start."""

    at: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Measured:
    """``peak_mb`` is the most memory that the command and all that it started held at one moment;
    what processes share counts once."""

    status: int
    seconds: float
    peak_mb: float
    lines: Sequence[Line]

    @property
    def output(self) -> str:
        return "".join(line.text for line in self.lines)


def measure(command: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> Measured:
    """Runs the command; one that takes a quarter of an hour is killed."""
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    peak = _Peak(process.pid)
    peak.start()
    stop = threading.Timer(MOST_SECONDS, process.kill)
    stop.start()
    assert process.stdout is not None
    lines = [Line(at=time.monotonic() - started, text=text) for text in process.stdout]
    status = process.wait()
    seconds = time.monotonic() - started
    stop.cancel()
    peak.ended.set()
    peak.join()
    return Measured(status=status, seconds=seconds, peak_mb=peak.megabytes, lines=lines)


class _Peak(threading.Thread):
    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.ended = threading.Event()
        self.megabytes = 0.0
        self._pid = pid

    def run(self) -> None:
        while not self.ended.is_set():
            self.megabytes = max(self.megabytes, _held(self._pid) / 1e6)
            self.ended.wait(EVERY_SECONDS)


def _held(pid: int) -> int:
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    total = 0
    for one in family:
        try:
            total += one.memory_full_info().pss
        except psutil.Error:
            # It ended meanwhile.
            continue
    return total
