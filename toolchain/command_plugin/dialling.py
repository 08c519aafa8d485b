"""Getting an SSH connection to a phone that may be slow, off, or silent."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

import paramiko
from paramiko.ssh_exception import IncompatiblePeer

from toolchain.command_plugin import keys
from toolchain.command_plugin.connection import Connection

_FIRST_WAIT_SECONDS: Final = 0.1
_LONGEST_WAIT_SECONDS: Final = 5.0
_WAIT_GROWTH: Final = 1.5
# A host may accept a connection and then say nothing for ever; the official plugin waits along.
_SILENCE_SECONDS: Final = 15.0
# sshd waits some seconds itself before it refuses a password.
_AUTHENTICATION_SECONDS: Final = 30.0
_KEEPALIVE_SECONDS: Final = 15
# A phone that left the wifi during a command answers no keepalive; changing networks takes less.
_LOST_MILLISECONDS: Final = 90_000

T = TypeVar("T")


class DialError(Exception):
    """No connection; the message is one readable line without credentials."""


class FinalDialError(DialError):
    """No connection, and none to be had by trying again."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """When to stop trying: `deadline` by the monotonic clock, or the engine's cancellation."""

    deadline: float | None
    cancelled: threading.Event

    def check(self) -> None:
        if self.cancelled.is_set():
            raise FinalDialError("context canceled")
        if self.deadline is not None and time.monotonic() >= self.deadline:
            raise FinalDialError("context deadline exceeded")

    def sleep(self, seconds: float) -> None:
        self.check()
        self.cancelled.wait(seconds)
        self.check()


def dial(
    connection: Connection, patience: Patience, tell: Callable[[str], None]
) -> paramiko.Transport:
    """A logged-in connection, the proxy's behind it if there is one; raises `DialError`.

    Refused logins are tried again like refused connections: a phone that is starting up
    turns logins away for a while.
    """
    if connection.proxy is None:
        return persist("Dial", connection, patience, tell, lambda: _log_in(connection, None))
    proxy = connection.proxy
    try:
        outer = persist("Dial proxy", proxy, patience, tell, lambda: _log_in(proxy, None))
        return persist(
            "Dial from proxy",
            connection,
            patience,
            tell,
            lambda: _log_in(connection, _through(outer, connection)),
        )
    except DialError as error:
        raise DialError(f"proxy: {error}") from None


def persist(
    what: str,
    connection: Connection,
    patience: Patience,
    tell: Callable[[str], None],
    attempt: Callable[[], T],
) -> T:
    """`attempt` until it succeeds or has failed more often than the connection's limit."""
    limit, wait, failed = connection.dial_error_limit, _FIRST_WAIT_SECONDS, 0
    while True:
        patience.check()
        try:
            return attempt()
        except FinalDialError:
            raise
        except DialError as error:
            if limit >= 0 and failed >= limit:
                raise DialError(f"after {failed} failed attempts: {error}") from None
        failed += 1
        tell(f"{what} {failed}/{limit if limit >= 0 else 'inf'} failed: retrying")
        patience.sleep(wait)
        wait = min(wait * _WAIT_GROWTH, _LONGEST_WAIT_SECONDS)


def _through(outer: paramiko.Transport, connection: Connection) -> Any:
    try:
        return outer.open_channel(
            "direct-tcpip",
            (connection.host, connection.port),
            ("127.0.0.1", 0),
            timeout=connection.per_dial_seconds or None,
        )
    except (paramiko.SSHException, OSError) as error:
        raise DialError(f"dial tcp {connection.endpoint}: {error}") from None


def _log_in(connection: Connection, channel: Any) -> paramiko.Transport:
    try:
        login_key = _login_key(connection)
        expected = keys.host_key(connection.host_key) if connection.host_key else None
    except keys.UnusableKeyError as error:
        raise FinalDialError(str(error)) from None
    transport = paramiko.Transport(channel if channel is not None else _connect(connection))
    try:
        _shake_hands(transport, connection, expected)
        _authenticate(transport, connection, login_key)
    except BaseException:
        transport.close()
        raise
    return transport


def _login_key(connection: Connection) -> paramiko.PKey | None:
    if connection.private_key is None:
        return None
    return keys.private_key(connection.private_key, connection.private_key_password)


def _connect(connection: Connection) -> socket.socket:
    try:
        opened = socket.create_connection(
            (connection.host, connection.port), timeout=connection.per_dial_seconds or None
        )
    except OSError as error:
        reason = (error.strerror or str(error) or type(error).__name__).lower()
        raise DialError(f"dial tcp {connection.endpoint}: {reason}") from None
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _LOST_MILLISECONDS)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened


def _shake_hands(
    transport: paramiko.Transport, connection: Connection, expected: paramiko.PKey | None
) -> None:
    bound = connection.per_dial_seconds or _SILENCE_SECONDS
    transport.banner_timeout = transport.handshake_timeout = bound
    transport.auth_timeout = _AUTHENTICATION_SECONDS
    if expected is not None:
        transport.get_security_options().key_types = keys.signatures(expected)
    try:
        transport.start_client(timeout=2 * bound)
    except (paramiko.SSHException, OSError, EOFError) as error:
        if isinstance(error, IncompatiblePeer) and expected is not None:
            raise _changed(connection) from None
        reason = "EOF" if isinstance(error, EOFError) else str(error)
        raise DialError(
            f"ssh: handshake failed: {connection.endpoint} does not answer as SSH "
            f"within {bound:g} s: {reason}"
        ) from None
    if expected is not None and transport.get_remote_server_key() != expected:
        raise _changed(connection)
    transport.set_keepalive(_KEEPALIVE_SECONDS)


def _changed(connection: Connection) -> FinalDialError:
    return FinalDialError(
        f"ssh: handshake failed: ssh: host key mismatch: {connection.endpoint} is not the host "
        "whose key is configured; if it was reinstalled, replace the configured key"
    )


def _authenticate(
    transport: paramiko.Transport, connection: Connection, key: paramiko.PKey | None
) -> None:
    """Try what the connection holds, in the official plugin's order."""
    tried: list[str] = []
    for method, attempt in _methods(transport, connection, key):
        tried.append(method)
        try:
            attempt()
        except paramiko.BadAuthenticationType:
            tried.pop()
            continue
        except paramiko.AuthenticationException:
            continue
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise DialError(f"ssh: handshake failed: {error}") from None
        if transport.is_authenticated():
            return
    raise DialError(
        f"ssh: handshake failed: ssh: unable to authenticate as {connection.user} at "
        f"{connection.endpoint}, attempted methods [{' '.join(tried) or 'none'}], "
        "no supported methods remain"
    )


def _methods(
    transport: paramiko.Transport, connection: Connection, key: paramiko.PKey | None
) -> list[tuple[str, Callable[[], object]]]:
    user, password = connection.user, connection.password
    methods: list[tuple[str, Callable[[], object]]] = []
    if key is not None:
        methods.append(("publickey", lambda: transport.auth_publickey(user, key)))
    if password is not None:
        methods.append(
            ("password", lambda: transport.auth_password(user, password, fallback=False))
        )
        methods.append(
            (
                "keyboard-interactive",
                lambda: transport.auth_interactive(
                    user, lambda _title, _text, prompts: [password for _ in prompts]
                ),
            )
        )
    if key is None:
        methods.extend(
            ("publickey", partial(transport.auth_publickey, user, agent_key))
            for agent_key in keys.agent_keys(connection.agent_socket)
        )
    return methods
