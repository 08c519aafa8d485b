"""Locks that a run leaves in the state directory, and whether their run still lives."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Lock:
    """Who holds a stack."""

    path: Path
    pid: int
    user: str
    host: str
    since: str


class Standing(Enum):
    """What a lock means for the next run."""

    LEFT_BEHIND = "left behind by a run that is no more"
    HELD = "held by a running pulumi"
    ELSEWHERE = "held from another machine, which cannot be looked at"


def read(state: Path, project: str, stack: str) -> list[Lock]:
    """The locks of one stack in a `file://` backend rooted at `state`.

    One that vanishes while it is read, or that a killed run wrote only in part, is still a lock
    if the file is there: its holder is then unknown.
    """
    directory = state / ".pulumi" / "locks" / "organization" / project / stack
    found: list[Lock] = []
    for path in sorted(directory.glob("*.json")):
        try:
            content = json.loads(path.read_text(encoding="utf-8") or "{}")
        except FileNotFoundError:
            continue
        except ValueError:
            content = {}
        found.append(
            Lock(
                path=path,
                pid=int(content.get("pid", 0)),
                user=str(content.get("username", "someone")),
                host=str(content.get("hostname", socket.gethostname())),
                since=str(content.get("timestamp", "an unknown time")),
            )
        )
    return found


def judge(
    lock: Lock,
    *,
    this_host: str | None = None,
    runs_pulumi: Callable[[int], bool] | None = None,
) -> Standing:
    """What `lock` means. A process id that something else has taken over holds nothing."""
    if lock.host != (this_host or socket.gethostname()):
        return Standing.ELSEWHERE
    if (runs_pulumi or _runs_pulumi)(lock.pid):
        return Standing.HELD
    return Standing.LEFT_BEHIND


def _runs_pulumi(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    try:
        name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        # No /proc here: believe that the process is what it was.
        return not Path("/proc/self").exists()
    return name == "pulumi" and state != "Z"
