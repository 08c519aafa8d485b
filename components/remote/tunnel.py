"""Ports of this machine that lead to a phone's loopback, through SSH, for as long as needed."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

from .ssh import PhoneError, Session

_BLOCK = 65536


@contextmanager
def tunnel(session: Session, port: int) -> Generator[int]:
    """A port on this machine's loopback for the length of the block.

    Whoever dials it speaks to ``port`` of the phone's loopback; where nothing listens there, the
    connection ends at once.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    ends: list[Any] = []
    accepting = threading.Thread(target=_accept, args=(listener, session, port, ends), daemon=True)
    accepting.start()
    try:
        yield listener.getsockname()[1]
    finally:
        # A thread that waits for a connection is not woken by a close alone.
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(timeout=1)
        for end in ends:
            _close(end)


def _accept(listener: socket.socket, session: Session, port: int, ends: list[Any]) -> None:
    while True:
        try:
            here, _ = listener.accept()
        except OSError:
            return
        try:
            there = cast(Any, session.open_port(port))
        except PhoneError:
            _close(here)
            continue
        ends += [here, there]
        for source, target in ((here, there), (there, here)):
            threading.Thread(target=_copy, args=(source, target), daemon=True).start()


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
