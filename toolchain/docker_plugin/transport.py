"""Connections to a Docker Engine: a unix socket, or `docker system dial-stdio` behind ssh.

The ssh command is the one that Docker's own client runs, so what reaches a host with that client
reaches it here: the user's ssh configuration, agent and known hosts apply, passwords do not.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import shlex
import signal
import socket
import subprocess
import tempfile
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import PluginError


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where an Engine is: `socket_path` here, or an ssh `command` that ends at the Engine."""

    url: str
    socket_path: str = ""
    command: tuple[str, ...] = ()


def parse_address(url: str, ssh_options: Sequence[str]) -> Address:
    """Raises PluginError for an address that this plugin cannot use."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "unix":
        return Address(url=url, socket_path=parts.path)
    if parts.scheme != "ssh":
        raise PluginError(
            f"docker host {url}: the stand-in plugin knows ssh://user@host:port and "
            "unix:///path only; another address needs the official docker plugin"
        )
    if not parts.hostname:
        raise PluginError(f"docker host {url}: no host name; write ssh://user@host:port")
    if parts.password is not None:
        raise PluginError(
            f"docker host ssh://{parts.hostname}: a password in the address is not supported; "
            "use a key and sshOpts"
        )
    if parts.query or parts.fragment:
        raise PluginError(f"docker host {url}: a query or fragment is not supported")
    command = ["ssh"]
    if parts.username:
        command += ["-l", urllib.parse.unquote(parts.username)]
    if parts.port:
        command += ["-p", str(parts.port)]
    # BatchMode last: nobody can answer a prompt here, and the user's own options come first.
    command += [*ssh_options, "-o", "ConnectTimeout=30", "-o", "BatchMode=yes", "-T", "--"]
    remote = ["docker", "system", "dial-stdio"]
    if parts.path not in ("", "/"):
        remote.insert(1, shlex.quote(f"--host=unix://{parts.path}"))
    return Address(url=url, command=(*command, parts.hostname, *remote))


class Connection(http.client.HTTPConnection):
    """One keep-alive HTTP connection to an Engine; to be ended with `end`."""

    def __init__(self, address: Address, timeout: float) -> None:
        super().__init__("docker", timeout=timeout)
        self._address = address
        self._process: subprocess.Popen[bytes] | None = None
        # Not a pipe: nobody reads it while the connection works, and ssh must not block on it.
        self._stderr = _nameless_file() if address.command else None

    def connect(self) -> None:
        if not self._address.command:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.settimeout(self.timeout)
            self.sock.connect(self._address.socket_path)
            return
        ours, theirs = socket.socketpair()
        try:
            # The process stays in the plugin's group: the engine ends that as a whole. And should
            # nobody be left to end it, the closed socket does.
            self._process = subprocess.Popen(
                self._address.command,
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=self._stderr,
            )
        except OSError as error:
            ours.close()
            raise PluginError(f"cannot run ssh for {self._address.url}: {error}") from None
        finally:
            theirs.close()
        ours.settimeout(self.timeout)
        self.sock = ours

    def set_timeout(self, seconds: float) -> None:
        """For the next requests, on an open connection too."""
        self.timeout = seconds
        if self.sock is not None:
            self.sock.settimeout(seconds)

    def usable(self) -> bool:
        """Whether an idle connection is still open: nothing has come, not even its end."""
        if self.sock is None or (self._process and self._process.poll() is not None):
            return False
        try:
            self.sock.setblocking(False)
            self.sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            with contextlib.suppress(OSError):
                self.sock.settimeout(self.timeout)
        return False

    def complaint(self) -> str:
        """What ssh said on its error output, in one line; empty for a socket or a silent ssh."""
        if self._process is None or self._stderr is None:
            return ""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)
        lines = os.pread(self._stderr, 4096, 0).decode(errors="replace").splitlines()
        return "; ".join(line.strip() for line in lines if line.strip())

    def end(self) -> None:
        """Closes the connection for good and ends its ssh process.

        Not `close`: that is called by http.client while an answer is still to be read.
        """
        self.close()
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(timeout=2)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._stderr is not None:
            os.close(self._stderr)
            self._stderr = None


def _nameless_file() -> int:
    descriptor, path = tempfile.mkstemp(prefix="ssh-stderr-")
    Path(path).unlink()
    return descriptor
