"""Runs a builder: its steps are told, its last lines are the error, and no secret is in either."""

from __future__ import annotations

import os
import platform as machine
import re
import shutil
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress

from .architecture import runs

BUILDAH = "buildah"
BUILD_SECONDS = 3600.0
_ASK_SECONDS = 20.0
_LAST_LINES = 12
# What is shorter would be found where it is none.
_SHORTEST = 4
# How a kernel says that a program is for another processor.
_FOREIGN = re.compile(r"exec format error", re.IGNORECASE)
# Nobody reads of these twice.
_STEP = re.compile(r"(\[[a-z0-9/]+\] )?STEP [0-9]+/[0-9]+: |#[0-9]+ \[.*[0-9]+/[0-9]+\] ")

Tell = Callable[[str], None]


class BuildError(Exception):
    """An image could not be built; the text is for a person, the builder's last lines in it."""


def run(
    by: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    platforms: Sequence[str],
    hidden: Iterable[str],
    tell: Tell,
) -> None:
    """A command whose steps are told, and whose last lines are the error where it fails.

    No line of a text in ``hidden`` is in either.

    Raises:
        BuildError: it fails.
    """
    masked = _mask(hidden)
    last: deque[str] = deque(maxlen=_LAST_LINES)
    foreign = False
    with subprocess.Popen(
        command,
        env=os.environ | {"BUILDKIT_COLORS": "", "NO_COLOR": "1"} | dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        stopped = threading.Event()

        def stop() -> None:
            stopped.set()
            process.kill()

        bound = threading.Timer(BUILD_SECONDS, stop)
        bound.start()
        try:
            for line in map(masked, filter(str.strip, process.stdout)):
                last.append(line.rstrip())
                foreign = foreign or _FOREIGN.search(line) is not None
                if _STEP.match(line):
                    tell(line.rstrip())
        finally:
            bound.cancel()
    if process.returncode != 0:
        how = (
            f"was stopped after {BUILD_SECONDS / 60:.0f} minutes" if stopped.is_set() else "failed"
        )
        words = [f"{by} {how}. Its last lines:", *(f"  {line}" for line in last)]
        if foreign and (advice := emulation(platforms, by)):
            words.append(advice)
        raise BuildError("\n".join(words))


def _mask(hidden: Iterable[str]) -> Callable[[str], str]:
    lines = {line.strip() for text in hidden for line in text.splitlines()}
    long = sorted((line for line in lines if len(line) >= _SHORTEST), key=len, reverse=True)
    if not long:
        return str
    secret = re.compile("|".join(map(re.escape, long)))
    return lambda line: secret.sub("[secret]", line)


def emulation(platforms: Sequence[str], by: str) -> str:
    """What makes this machine run programs of ``platforms`` that are not its own; else nothing."""
    foreign = [each for each in platforms if not runs(machine.machine(), each)]
    if not foreign:
        return ""
    if by == BUILDAH and shutil.which("apt-get"):
        how = "sudo apt-get install qemu-user-static"
    else:
        processors = sorted({each.split("/")[1] for each in foreign})
        how = f"docker run --privileged --rm tonistiigi/binfmt --install {','.join(processors)}"
    return f"This machine cannot run programs for {', '.join(foreign)}, as a RUN needs: {how}"


def quietly(command: Sequence[str]) -> bool:
    """Whether a command ends well within moments."""
    with suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_ASK_SECONDS,
            check=False,
        )
        return done.returncode == 0
    return False
