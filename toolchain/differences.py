"""What a refresh found to differ, without Pulumi's two lines for each thing that is as it was.

On a terminal those pass by. In a file they would stand for good, two hundred of them in a lab of
four phones; Pulumi has no option that leaves them out and still tells the rest in words.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from types import FrameType
from typing import Final

_TYPE: Final = rb"[^ :]+:[^ :]+:[^ ]+"
# Pulumi ends a row with a space or two; where it has anything to say, that stands behind.
_AS_IT_WAS: Final = re.compile(
    rb" ~  %(type)s \S+ refreshing \([0-9.]+s\) *\n|    %(type)s \S+ +(running *)?\n"
    % {b"type": _TYPE}
)


def alone() -> None:
    """Return in a new process, of whose standard output only what differs is printed.

    It may become another program. This one prints, and ends when that does and as it does; Ctrl-C
    is for that one, to which a terminal sends it as well.
    """
    source, target = os.pipe()
    sys.stdout.flush()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    child = os.fork()
    if not child:
        os.dup2(target, sys.stdout.fileno())
        os.close(source)
        os.close(target)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return
    os.close(target)

    def hand_on(number: int, _frame: FrameType | None) -> None:
        os.kill(child, number)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, hand_on)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    status = 1
    try:
        _print(source)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        os._exit(status if status >= 0 else 128 - status)


def _print(source: int) -> None:
    with os.fdopen(source, "rb") as lines:
        for line in lines:
            if not _AS_IT_WAS.fullmatch(line):
                sys.stdout.buffer.write(line)
                sys.stdout.buffer.flush()
