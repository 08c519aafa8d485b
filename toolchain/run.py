"""Running `pulumi`, and going on after a run that was cut off."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Final, NoReturn

from . import checkpoint, differences, locks, starting
from .environment import COMMAND, UNWATCHED, pulumi_environment
from .errors import ToolchainError
from .layout import Layout
from .project import (
    CHANGING,
    DEFAULT_STACK,
    Target,
    file_backend,
    missing_file,
    named_stack,
    plain_state_file,
    state_file,
    target,
    value_of,
)

_CREATING: Final = ("creating",)
_CHANGING: Final = ("updating", "deleting")
_READING_FILE: Final = ("up", "update", "preview", "watch")


def pulumi(layout: Layout, arguments: Sequence[str]) -> NoReturn:
    """Become `pulumi` with these arguments, in this checkout's environment.

    Before that, on a `file://` backend: a stack that is missing is made, a lock that a killed run
    left behind is removed, and so are creations that it did not finish. This process is replaced,
    so Ctrl-C reaches pulumi once, and pulumi's status is this program's; but for a refresh that
    nobody watches, which :mod:`.differences` prints.
    """
    about = target(arguments, Path.cwd())
    if about.command == "refresh" and not sys.stdout.isatty():
        # Before there is anything that only one process may hold.
        differences.alone()
    environment = pulumi_environment(layout, stack=about.stack or DEFAULT_STACK)
    program = shutil.which("pulumi", path=environment["PATH"])
    if program is None:
        raise ToolchainError("pulumi is not there yet: run `make ready`")
    given = list(arguments)
    state = file_backend(environment)
    if state is not None:
        state.mkdir(parents=True, exist_ok=True)
    if about.stack is not None and state is not None:
        if state_file(state, about.project, about.stack) is not None:
            _check_file(about, arguments)
        if about.command in CHANGING:
            starting.wait_for_turn(state / f"{about.project}-{about.stack}.start")
        half_changed = _prepare(program, environment, state, about)
        if half_changed and about.command == "up":
            print(
                f"The last run was cut off in {', '.join(half_changed)}: reading the phones anew.",
                flush=True,
            )
            if not _refreshed(program, environment, about, arguments):
                given.append("--refresh")
        if not named_stack(arguments):
            given += ["--stack", DEFAULT_STACK]
    environment[COMMAND] = about.command
    if not sys.stdout.isatty():
        environment[UNWATCHED] = "true"
    sys.stdout.flush()
    if about.stack is not None and state is not None and about.command in CHANGING:
        held = partial(locks.read, state, about.project, about.stack)
        starting.end_turn_when(lambda process: any(lock.pid == process for lock in held()))
    os.execve(program, ["pulumi", *given], environment)  # noqa: S606  no shell is wanted


def _prepare(program: str, environment: dict[str, str], state: Path, about: Target) -> list[str]:
    """Make the stack ready for a run; names of what a killed run was changing or deleting.

    What is half deleted is still in the state as it was, and only a refresh sees the difference.
    """
    stack = about.stack or DEFAULT_STACK
    left = [locks.judge(lock) for lock in locks.read(state, about.project, stack)]
    path = plain_state_file(state, about.project, stack)
    plain = state_file(state, about.project, stack) in (None, path)
    # Where anybody may still be writing, what looks damaged may just not be whole yet.
    alone = all(standing is locks.Standing.LEFT_BEHIND for standing in left)
    if plain and alone and checkpoint.restore(path, killed=bool(left)):
        # Not among what pulumi prints itself, which a program may read as JSON.
        print(
            f"The last run was killed while it wrote the state of {stack}: its copy is used.",
            file=sys.stderr,
        )
    if state_file(state, about.project, stack) is None:
        _make_stack(program, environment, about, stack)
        return []
    if about.command not in CHANGING:
        return []
    _release(program, environment, state, about, stack)
    half_changed = _unfinished(state, about.project, stack, _CHANGING)
    # What is half gone goes all the same, in whatever state it is.
    done_again = (*_CREATING, *_CHANGING) if about.command == "destroy" else _CREATING
    _forget_unfinished(program, environment, state, about, stack, done_again)
    return half_changed


def _make_stack(program: str, environment: dict[str, str], about: Target, stack: str) -> None:
    configuration = about.directory / f"Pulumi.{stack}.yaml"
    if not configuration.is_file():
        raise ToolchainError(
            f"there is no stack {stack} and no {configuration.name}: make it with `make new-lab "
            f"NAME={stack}`, or name another lab with STACK="
        )
    before = configuration.read_bytes()
    _call(program, environment, about, "stack", "init", stack)
    # Its secrets belong to the salt in the file. A file without one gets its first from Pulumi.
    if b"encryptionsalt" in before and configuration.read_bytes() != before:
        configuration.write_bytes(before)


def _check_file(about: Target, arguments: Sequence[str]) -> None:
    """Of a stack without its file Pulumi only says which keys it misses."""
    elsewhere = value_of(arguments, "--config-file") or os.environ.get("PULUMI_OPTION_CONFIG_FILE")
    file = about.directory / f"Pulumi.{about.stack}.yaml"
    if about.command in _READING_FILE and not elsewhere and not file.is_file():
        raise ToolchainError(missing_file(file, about.stack or DEFAULT_STACK))


def _release(
    program: str, environment: dict[str, str], state: Path, about: Target, stack: str
) -> None:
    found = [(lock, locks.judge(lock)) for lock in locks.read(state, about.project, stack)]
    for lock, standing in found:
        if standing is not locks.Standing.LEFT_BEHIND:
            raise ToolchainError(
                f"stack {stack} is {standing.value}: {lock.user}@{lock.host}, process {lock.pid}, "
                f"since {lock.since}. Wait for it to end; if it is dead, run `pulumi cancel`"
            )
    if found:
        names = ", ".join(str(lock.pid) for lock, _ in found)
        print(f"The last run (process {names}) was killed: its lock on {stack} is removed.")
        _call(program, environment, about, "cancel", "--yes", "--stack", stack)


def _forget_unfinished(
    program: str,
    environment: dict[str, str],
    state: Path,
    about: Target,
    stack: str,
    kinds: Collection[str],
) -> None:
    """Drop what a killed run began, if it is of these `kinds`: Pulumi would warn of it for ever.

    It is done again. Importing an export is what clears it without reaching any phone.
    """
    unfinished = _unfinished(state, about.project, stack, kinds)
    if not unfinished:
        return
    print(f"The last run was cut off in {', '.join(unfinished)}: this is done again.")
    exported = _call(program, environment, about, "stack", "export", "--stack", stack)
    _call(program, environment, about, "stack", "import", "--stack", stack, given=exported)


def _unfinished(state: Path, project: str, stack: str, kinds: Collection[str]) -> list[str]:
    path = state_file(state, project, stack)
    if path is None or path.suffix != ".json":
        return []
    content = json.loads(path.read_text(encoding="utf-8"))
    latest = content.get("checkpoint", {}).get("latest") or {}
    return [
        operation["resource"]["urn"].rsplit("::", 1)[-1]
        for operation in latest.get("pending_operations") or []
        if operation.get("type") in kinds
    ]


def _refreshed(
    program: str, environment: dict[str, str], about: Target, arguments: Sequence[str]
) -> bool:
    """Read the phones without a line for each thing that is as it was; false where that failed.

    What differs is in the plan of the `up` that follows, which also does it anew, and tells, if
    this has failed.
    """
    file = value_of(arguments, "--config-file")
    process = subprocess.Popen(
        [
            *(program, "--non-interactive", "refresh", "--yes", "--skip-preview"),
            *("--stack", about.stack or DEFAULT_STACK),
            *(["--config-file", file] if file else []),
        ],
        cwd=about.directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        return process.wait() == 0
    except KeyboardInterrupt:
        # Pulumi has heard of it too, and ends in order.
        process.wait()
        raise


def _call(
    program: str,
    environment: dict[str, str],
    about: Target,
    *arguments: str,
    given: str | None = None,
) -> str:
    """What a short pulumi command prints; raises `ToolchainError` with its own error."""
    done = subprocess.run(
        [program, "--non-interactive", *arguments],
        cwd=about.directory,
        env=environment,
        input=given if given is not None else "",
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        reason = " ".join((done.stderr or done.stdout).split())
        raise ToolchainError(f"pulumi {' '.join(arguments[:2])} failed: {reason}")
    return done.stdout
