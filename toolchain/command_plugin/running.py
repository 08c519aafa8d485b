"""One command on one phone: its environment, its standard streams, its end."""

from __future__ import annotations

import codecs
import contextlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import paramiko
from paramiko.common import cMSG_CHANNEL_REQUEST

_BLOCK: Final = 32768
_OPEN_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.2
_SHOWN_OF_COMMAND: Final = 120
# sshd reports a process that was killed without a status.
_NO_STATUS: Final = -1


class CommandError(Exception):
    """A command that did not run, or failed; may hold secrets until it is redacted."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What to run. `previous` is offered to the command where the phone's sshd allows it."""

    command: str = field(repr=False)
    hidden: bool = False
    """Whether an error must tell neither the command nor what it printed."""
    stdin: str = field(default="", repr=False)
    environment: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    previous: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)


@dataclass(frozen=True, kw_only=True)
class Listener:
    """Who hears the command's lines as they come, and warnings about how it is run."""

    stdout: Callable[[str], None] | None
    stderr: Callable[[str], None] | None
    warning: Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Printed:
    """What a command printed, without the last line break."""

    stdout: str
    stderr: str


def run(
    transport: paramiko.Transport, job: Job, listener: Listener, *, deadline: float | None
) -> Printed:
    """Run `job` to its end; raises `CommandError` for any but status 0."""
    try:
        channel = _open(transport, job, listener)
        channel.exec_command(job.command)
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise CommandError(f"the command could not be started: {error}") from None
    together: list[str] = []
    out = _Stream(channel.recv, listener.stdout, together)
    err = _Stream(channel.recv_stderr, listener.stderr, together)
    threads = [
        threading.Thread(target=_feed, args=(channel, job.stdin), daemon=True),
        threading.Thread(target=out.read, daemon=True),
        threading.Thread(target=err.read, daemon=True),
    ]
    for thread in threads:
        thread.start()
    # The feeder is not waited for: a command need not read what it is given.
    for thread in threads[1:]:
        while thread.is_alive():
            thread.join(_LOOK_SECONDS)
            if deadline is not None and time.monotonic() >= deadline:
                channel.close()
                raise CommandError(f"context deadline exceeded: {_describe(job, together)}")
    status = channel.recv_exit_status()
    if status != 0:
        raise CommandError(f"{_end(status, transport)}: {_describe(job, together)}")
    return Printed(stdout=out.text.removesuffix("\n"), stderr=err.text.removesuffix("\n"))


def _open(transport: paramiko.Transport, job: Job, listener: Listener) -> paramiko.Channel:
    """A channel with its environment set. A refused variable closes a channel: open another."""
    offered = {name: value for name, value in job.previous.items() if value}
    while True:
        channel = transport.open_session(timeout=_OPEN_SECONDS)
        for name, value in job.environment.items():
            if not _set_environment(channel, name, value):
                raise CommandError(
                    f'could not set environment variable "{name}": ssh: setenv failed '
                    "(the host's sshd must list it in AcceptEnv)"
                )
        refused = [n for n, value in offered.items() if not _set_environment(channel, n, value)]
        if not refused:
            return channel
        for name in refused:
            listener.warning(
                f"Unable to set '{name}'. This only works if your SSH server is configured to "
                "accept these variables via AcceptEnv; addPreviousOutputInEnv=False ends this "
                "warning"
            )
        offered.clear()
        channel.close()


def _set_environment(channel: paramiko.Channel, name: str, value: str) -> bool:
    """Ask for a variable and for an answer, which paramiko's own method does not."""
    message = paramiko.Message()
    message.add_byte(cMSG_CHANNEL_REQUEST)
    message.add_int(channel.remote_chanid)
    message.add_string("env")
    message.add_boolean(True)
    message.add_string(name)
    message.add_string(value)
    # paramiko's own method waits for no answer, and a variable that is refused would be missing.
    inner: Any = channel
    inner._event_pending()  # noqa: SLF001
    inner.transport._send_user_message(message)  # noqa: SLF001
    try:
        inner._wait_for_event()  # noqa: SLF001
    except paramiko.SSHException:
        return False
    return True


def _feed(channel: paramiko.Channel, text: str) -> None:
    # The command may end, or close its input, before it has read everything.
    with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
        channel.sendall(text.encode())
        channel.shutdown_write()


class _Stream:
    """One of a command's streams: collected, and handed on line by line."""

    def __init__(
        self,
        receive: Callable[[int], bytes],
        hear: Callable[[str], None] | None,
        together: list[str],
    ) -> None:
        self._receive = receive
        self._hear = hear
        self._together = together
        self.text = ""

    def read(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        parts: list[str] = []
        rest = ""
        with contextlib.suppress(OSError):
            while block := self._receive(_BLOCK):
                text = decoder.decode(block)
                parts.append(text)
                self._together.append(text)
                *lines, rest = (rest + text).split("\n")
                self._tell(lines)
        last = decoder.decode(b"", final=True)
        self.text = "".join([*parts, last])
        self._tell([rest + last] if rest + last else [])

    def _tell(self, lines: list[str]) -> None:
        if self._hear is not None:
            for line in lines:
                self._hear(line.rstrip("\r"))


def _end(status: int, transport: paramiko.Transport) -> str:
    if status != _NO_STATUS:
        return f"Process exited with status {status}"
    if transport.is_active():
        return "Process was ended by a signal"
    return "wait: remote command exited without exit status: the connection was lost"


def _describe(job: Job, together: list[str]) -> str:
    if job.hidden:
        return "its text and output are not shown, because the command is secret"
    command = job.command
    if len(command) > _SHOWN_OF_COMMAND:
        command = f"{command[:_SHOWN_OF_COMMAND]}…"
    return f"running {json.dumps(command, ensure_ascii=False)}:\n{''.join(together)}"
