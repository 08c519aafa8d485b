"""SSH to one phone, every step bounded in time: what our own dynamic providers speak through.

The official command plugin waits for ever on a phone that accepts a connection and then says
nothing; nothing in this module does. Errors are :class:`PhoneError`: one sentence for a person,
naming the phone.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import paramiko

# Without a handler, Python prints the library's tracebacks beside the sentence that we raise.
logging.getLogger("paramiko").addHandler(logging.NullHandler())

CONNECT_SECONDS = 5.0
BANNER_SECONDS = 10.0
COMMAND_SECONDS = 120.0
HOST_KEY_TYPE = "ssh-ed25519"


class PhoneError(Exception):
    """Something about one phone that its owner can act on; the text is the whole message."""


class UnreachableError(PhoneError):
    """The phone did not answer as SSH within the bound: off, elsewhere, or not listening."""


class AuthenticationError(PhoneError):
    """The phone answered and refused the key (and the password, where one was tried)."""


class HostKeyError(PhoneError):
    """The phone shows another host key than the one that is known; ``shown`` is what it shows."""

    def __init__(self, message: str, shown: str) -> None:
        super().__init__(message)
        self.shown = shown


@dataclass(frozen=True, kw_only=True)
class Host:
    """How to reach a phone. ``host_key`` is ``ssh-ed25519 AAAA…``, or empty before first contact.

    ``key_file`` is the controller's private key: a path, so that no key lies in Pulumi's state.
    """

    name: str
    host: str
    port: int
    user: str
    key_file: str
    host_key: str = ""

    def to_inputs(self) -> dict[str, Any]:
        """The properties from which :meth:`from_inputs` makes this host again."""
        return {
            "name": self.name,
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "key_file": self.key_file,
            "host_key": self.host_key,
        }

    @classmethod
    def from_inputs(cls, value: Mapping[str, Any]) -> Host:
        """A host out of a dynamic resource's properties, whose numbers arrive as floats."""
        return cls(
            name=value["name"],
            host=value["host"],
            port=int(value["port"]),
            user=value["user"],
            key_file=value["key_file"],
            host_key=value["host_key"],
        )

    def with_host_key(self, host_key: str) -> Host:
        return replace(self, host_key=host_key)


@dataclass(frozen=True, kw_only=True)
class Result:
    """A finished command; ``status`` is 255 where the link ended before the command."""

    status: int
    stdout: str
    stderr: str


def read_banner(host: Host, seconds: float = CONNECT_SECONDS) -> str:
    """The phone's SSH greeting.

    Raises:
        UnreachableError: where none came within ``seconds`` for each of dialling and reading.
    """
    try:
        with socket.create_connection((host.host, host.port), timeout=seconds) as connection:
            connection.settimeout(seconds)
            banner = connection.recv(255)
    except (OSError, UnicodeError) as error:
        raise _unreachable(host, _reason(error, seconds)) from None
    if not banner.startswith(b"SSH-"):
        raise _unreachable(host, "something answers there, but not as SSH")
    return banner.decode("ascii", "replace").strip()


class Session:
    """An open, authenticated connection to one phone; a context manager closes it."""

    def __init__(self, host: Host, transport: paramiko.Transport) -> None:
        self.host = host
        self._transport = transport

    @property
    def host_key(self) -> str:
        """The key that the phone showed, as ``type base64``."""
        key = self._transport.get_remote_server_key()
        return f"{key.get_name()} {key.get_base64()}"

    def run(self, command: str, stdin: str = "", seconds: float = COMMAND_SECONDS) -> Result:
        """Runs one command line with ``stdin`` as its whole input.

        Raises:
            PhoneError: where the command has not ended after ``seconds`` or the link broke.
        """
        channel = self.open_channel(command)
        deadline = time.monotonic() + seconds
        try:
            channel.settimeout(seconds)
            if stdin:
                try:
                    channel.sendall(stdin.encode())
                except OSError:
                    # What ends before it has read all has said why; a silent link has not.
                    if not channel.closed:
                        raise
            channel.shutdown_write()
            output, errors = bytearray(), bytearray()
            while not (channel.exit_status_ready() and channel.eof_received):
                moved = _drain(channel, output, errors)
                if time.monotonic() > deadline:
                    raise PhoneError(
                        f"{self.host.name}: a command did not end within {seconds:.0f} s; "
                        "look at the phone and run again"
                    )
                if channel.closed:
                    break
                if not moved:
                    channel.status_event.wait(0.01)
            while _drain(channel, output, errors):
                pass
            return Result(
                status=channel.recv_exit_status() if channel.exit_status_ready() else 255,
                stdout=output.decode("utf-8", "replace"),
                stderr=errors.decode("utf-8", "replace"),
            )
        except (OSError, EOFError) as error:
            raise _broken(self.host, error) from None
        finally:
            channel.close()

    def open_channel(self, command: str, *, terminal: bool = False) -> paramiko.Channel:
        """A channel on which ``command`` runs, on a terminal if asked; usable like a socket."""
        try:
            channel = self._transport.open_session(timeout=BANNER_SECONDS)
            if terminal:
                channel.get_pty(term="dumb")
            channel.exec_command(command)
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise _broken(self.host, error) from None
        return channel

    def open_port(self, port: int) -> paramiko.Channel:
        """A channel to what listens on a port of the phone's loopback; usable like a socket.

        It ends at once where nothing does. Not by SSH's own forwarding: Alpine's sshd allows none.

        What runs on the phone ends after this side has. Else the end of the one may cross that of
        the other, whereupon sshd finds that a closed channel is spoken of and hangs up on all of
        them: paramiko sends the two without regard to their order.
        """
        return self.open_channel(f"busybox nc 127.0.0.1 {port}; exec >/dev/null 2>&1; exec cat")

    def close(self) -> None:
        self._transport.close()


def _drain(channel: paramiko.Channel, output: bytearray, errors: bytearray) -> bool:
    moved = False
    while channel.recv_ready():
        output += channel.recv(65536)
        moved = True
    while channel.recv_stderr_ready():
        errors += channel.recv_stderr(65536)
        moved = True
    return moved


@contextmanager
def connect(host: Host, password: str | None = None) -> Generator[Session]:
    """A session with the phone: by key, or by ``password`` where the key is refused.

    Raises:
        UnreachableError: nothing answers as SSH within the bounds.
        AuthenticationError: neither key nor password was accepted.
        HostKeyError: the host key is not the one that is known.
    """
    key = load_key(host.key_file)
    transport = _handshake(host)
    try:
        if not _authenticates(transport, lambda: transport.auth_publickey(host.user, key)):
            if password is None:
                raise AuthenticationError(
                    f"{host.name}: {host.user}@{host.host} does not accept the key "
                    f"{host.key_file}; give cloudlet:password for a first contact"
                )
            if not transport.is_active():
                transport.close()
                transport = _handshake(host)
            _log_in(transport, host, password)
        yield Session(host, transport)
    finally:
        transport.close()


def load_key(path: str) -> paramiko.PKey:
    """The controller's private key.

    Raises:
        PhoneError: the file is missing, needs a passphrase, or is no private key.
    """
    try:
        return paramiko.PKey.from_path(Path(path).expanduser())
    except FileNotFoundError:
        raise PhoneError(
            f"ssh.privateKeyFile: {path} does not exist; make one with ssh-keygen -t ed25519"
        ) from None
    except (paramiko.PasswordRequiredException, TypeError):
        raise PhoneError(
            f"ssh.privateKeyFile: {path} has a passphrase, which an unattended run cannot type; "
            "use a key without one"
        ) from None
    except (paramiko.SSHException, ValueError, OSError):
        raise PhoneError(
            f"ssh.privateKeyFile: {path} is not a private key that can be read"
        ) from None


def _handshake(host: Host) -> paramiko.Transport:
    try:
        raw = socket.create_connection((host.host, host.port), timeout=CONNECT_SECONDS)
    except (OSError, UnicodeError) as error:
        raise _unreachable(host, _reason(error, CONNECT_SECONDS)) from None
    # A channel's small messages follow one another: held back until the last was acknowledged, as
    # TCP does by itself, a command takes 95 ms instead of 5.
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    transport = paramiko.Transport(raw)
    transport.banner_timeout = BANNER_SECONDS
    transport.auth_timeout = BANNER_SECONDS
    # One key type, so that what first contact records is what every later tool is shown.
    transport.get_security_options().key_types = [HOST_KEY_TYPE]
    try:
        transport.start_client(timeout=BANNER_SECONDS)
        key = transport.get_remote_server_key()
    except (paramiko.SSHException, OSError, EOFError) as error:
        transport.close()
        raise _unreachable(
            host, f"it does not speak SSH with us ({error or 'no answer'})"
        ) from None
    shown = f"{key.get_name()} {key.get_base64()}"
    if host.host_key and shown != host.host_key:
        transport.close()
        raise HostKeyError(
            f"{host.name}: the phone at {host.host}:{host.port} shows another host key than the "
            "one recorded. If the phone was replaced or flashed anew, run "
            f"`make adopt PHONE={host.name} USB={host.host}:{host.port}` and `make up`; "
            "if not, someone may be listening in",
            shown,
        )
    return transport


def _authenticates(transport: paramiko.Transport, attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except (paramiko.SSHException, OSError, EOFError):
        return False
    return transport.is_authenticated()


def _log_in(transport: paramiko.Transport, host: Host, password: str) -> None:
    def answer(_title: str, _text: str, prompts: list[tuple[str, bool]]) -> list[str]:
        return [password for _ in prompts]

    if _authenticates(transport, lambda: transport.auth_password(host.user, password)):
        return
    if transport.is_active() and _authenticates(
        transport, lambda: transport.auth_interactive(host.user, answer)
    ):
        return
    raise AuthenticationError(
        f"{host.name}: {host.user}@{host.host} accepts neither the key {host.key_file} nor the "
        "password; check ssh.user and set the phone's own password with "
        "`pulumi config set --secret password`"
    )


def _unreachable(host: Host, reason: str) -> UnreachableError:
    return UnreachableError(
        f"{host.name} does not answer at {host.host}:{host.port}: {reason}. "
        "Is it on, on this network, and is its sshd running?"
    )


def _broken(host: Host, error: Exception) -> PhoneError:
    return PhoneError(f"{host.name}: the connection broke: {str(error) or 'it was closed'}")


def _reason(error: OSError | UnicodeError, seconds: float) -> str:
    if isinstance(error, UnicodeError):
        return "that is no host's name"
    if isinstance(error, TimeoutError):
        return f"no answer within {seconds:.0f} s"
    return (error.strerror or str(error)).lower()
