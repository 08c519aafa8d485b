"""Ports of this machine that lead to a phone's loopback, through SSH, for as long as needed."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from .ssh import Host, PhoneError, Session, connect

_BLOCK = 65536


@contextmanager
def tunnel(host: Host, port: int) -> Generator[Tunnel]:
    """A port on this machine's loopback for the length of the block.

    Whoever dials it speaks to ``port`` of the phone's loopback; where nothing listens there, the
    connection ends at once.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.ExitStack() as held:
        made = Tunnel(listener, held, host, port)
        accepting = threading.Thread(target=made.serve, daemon=True)
        accepting.start()
        try:
            yield made
        finally:
            # A thread that waits for a connection is not woken by a close alone.
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            accepting.join()


class Tunnel:
    """``port`` is this machine's. ``refused`` is why the phone took no more connections, or empty.

    It has connections to the phone of its own, as many as are needed: sshd grants one of them ten
    sessions at a time (``MaxSessions``), and a builder opens more than that and leaves them idle.
    """

    def __init__(
        self, listener: socket.socket, held: contextlib.ExitStack, host: Host, there: int
    ) -> None:
        self.port: int = listener.getsockname()[1]
        self.refused = ""
        self._listener = listener
        self._held = held
        self._host = host
        self._there = there
        self._sessions: list[Session] = []

    def serve(self) -> None:
        """Takes connections until the listener is shut down."""
        while True:
            try:
                here, _ = self._listener.accept()
            except OSError:
                return
            self._held.callback(_close, here)
            try:
                there = self._open()
            except PhoneError as error:
                self.refused = str(error)
                _close(here)
                continue
            self._held.callback(_close, there)
            for source, target in ((here, there), (there, here)):
                threading.Thread(target=_copy, args=(source, target), daemon=True).start()

    def _open(self) -> Any:
        for session in self._sessions:
            with contextlib.suppress(PhoneError):
                return session.open_port(self._there)
        session = self._held.enter_context(connect(self._host))
        self._sessions.append(session)
        return session.open_port(self._there)


def _copy(source: Any, target: Any) -> None:
    """What one side sends until it ends; then the other is told so."""
    with contextlib.suppress(OSError, EOFError):
        while data := source.recv(_BLOCK):
            target.sendall(data)
        if isinstance(target, socket.socket):
            target.shutdown(socket.SHUT_WR)
        else:
            target.shutdown_write()
        return
    _close(source)
    _close(target)


def _close(end: Any) -> None:
    with contextlib.suppress(OSError, EOFError):
        end.close()
