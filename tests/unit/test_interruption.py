"""What a person sees of the program when the engine stops it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from components import interruption

ROOT = Path(__file__).parents[2]


def test_an_interrupted_program_ends_without_a_traceback() -> None:
    program = (
        "import os, signal\n"
        # A shell's background jobs, these tests among them, may be told to ignore it.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from components import interruption\n"
        "interruption.end_quietly()\n"
        "print('a line')\n"
        "os.kill(os.getpid(), signal.SIGINT)\n"
        "raise SystemExit('went on')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (interruption.TOLD, "a line\n", "")


def test_a_host_that_shares_its_process_with_the_program_keeps_its_own_answer() -> None:
    def answer(*_: object) -> None: ...

    before = signal.signal(signal.SIGINT, answer)
    try:
        interruption.end_quietly()
        assert signal.getsignal(signal.SIGINT) is answer
    finally:
        signal.signal(signal.SIGINT, before)
