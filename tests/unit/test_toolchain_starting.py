"""Two runs that start at once: the second sees the lock that the first one takes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

# A run that becomes another program, which takes its lock after a while and runs on.
RUN = """
import os, sys
from pathlib import Path
from toolchain import starting
starting.wait_for_turn(Path(sys.argv[1]))
lock = Path(sys.argv[2])
print("free" if not lock.exists() else "held", flush=True)
starting.end_turn_when(lambda process: lock.exists() and lock.read_text() == str(process))
script = f'sleep 0.5; printf %s "$$" >{lock}; exec sleep 30'
os.execv("/bin/sh", ["sh", "-c", script])
"""


def run(folder: Path) -> subprocess.Popen[str]:
    arguments = [str(folder / "turn"), str(folder / "lock")]
    return subprocess.Popen(
        [sys.executable, "-c", RUN, *arguments], stdout=subprocess.PIPE, text=True
    )


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        process.kill()
        process.communicate(timeout=10)


def test_the_second_looks_when_the_first_has_its_lock(tmp_path: Path) -> None:
    first = run(tmp_path)
    assert first_line(first) == "free"
    second = run(tmp_path)
    try:
        assert first_line(second) == "held"
    finally:
        end(first, second)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_first_one_that_ends_without_a_lock_is_not_waited_for(
    tmp_path: Path, how: signal.Signals
) -> None:
    first = run(tmp_path)
    assert first_line(first) == "free"
    first.send_signal(how)
    first.wait(10)
    started = time.monotonic()
    second = run(tmp_path)
    try:
        assert first_line(second) == "free"
        assert time.monotonic() - started < 5
    finally:
        end(second)
        if first.stdout is not None:
            first.stdout.close()
