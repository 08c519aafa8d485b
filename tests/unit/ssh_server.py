"""An SSH server on loopback that answers as a test tells it to."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import paramiko
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_SUCCEEDED

PASSWORD = "let-me-in"


@dataclass(kw_only=True)
class Answer:
    """What a command does: `status` None ends it as a signal would."""

    stdout: bytes = b""
    stderr: bytes = b""
    status: int | None = 0
    echo: bool = False
    hold: threading.Event | None = None


@dataclass(kw_only=True)
class Phone:
    """The server, and what reached it."""

    port: int
    key: paramiko.PKey
    accepted: frozenset[str]
    answer: Callable[[str], Answer]
    commands: list[str] = field(default_factory=list[str])
    environment: dict[str, str] = field(default_factory=dict[str, str])
    logins: int = 0
    refuse_logins: int = 0

    @property
    def host_key(self) -> str:
        return f"{self.key.get_name()} {self.key.get_base64()}"


class _Session(paramiko.ServerInterface):
    def __init__(self, phone: Phone) -> None:
        self._phone = phone

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_auth_password(self, username: str, password: str) -> int:
        self._phone.logins += 1
        if password == PASSWORD and self._phone.logins > self._phone.refuse_logins:
            return AUTH_SUCCESSFUL
        return AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED

    def check_channel_env_request(self, channel: Any, name: bytes, value: bytes) -> bool:
        if name.decode() not in self._phone.accepted:
            return False
        self._phone.environment[name.decode()] = value.decode()
        return True

    def check_channel_exec_request(self, channel: Any, command: bytes) -> bool:
        self._phone.commands.append(command.decode())
        answer = self._phone.answer(command.decode())
        threading.Thread(target=_run, args=(channel, answer), daemon=True).start()
        return True


def _run(channel: Any, answer: Answer) -> None:
    # The server confirms that it has started the command before the command can end.
    time.sleep(0.02)
    if answer.hold is not None:
        answer.hold.wait(10)
    # Who asked may be gone, and the connection with it.
    with contextlib.suppress(EOFError, OSError):
        if answer.echo:
            while block := channel.recv(32768):
                channel.sendall(block)
        channel.sendall(answer.stdout)
        channel.sendall_stderr(answer.stderr)
        if answer.status is not None:
            channel.send_exit_status(answer.status)
        channel.close()


@contextmanager
def phone(
    answer: Callable[[str], Answer] = lambda _command: Answer(),
    *,
    accepted: tuple[str, ...] = (),
    refuse_logins: int = 0,
    key: paramiko.PKey | None = None,
) -> Iterator[Phone]:
    """A server for the length of the block; it accepts the variables named in `accepted`.

    Without `key`, its host key is an ECDSA one of its own.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    served = Phone(
        port=listener.getsockname()[1],
        key=key or paramiko.ECDSAKey.generate(),
        accepted=frozenset(accepted),
        answer=answer,
        refuse_logins=refuse_logins,
    )
    transports: list[paramiko.Transport] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.add_server_key(served.key)
            transports.append(transport)
            transport.start_server(event=threading.Event(), server=_Session(served))

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield served
    finally:
        listener.close()
        for transport in transports:
            transport.close()
