"""A port of this machine that leads to a phone's loopback."""

from __future__ import annotations

import socket
import threading
from types import SimpleNamespace
from typing import cast

import pytest
from fake_registry import HOST, nobody

from components.remote.ssh import Session
from components.remote.tunnel import tunnel


def echo() -> socket.socket:
    """A server that sends back what it is sent, and ends when that ends."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            while data := connection.recv(65536):
                connection.sendall(data)
            connection.close()

    threading.Thread(target=serve, daemon=True).start()
    return server


def session(server: socket.socket) -> Session:
    return cast(
        Session,
        SimpleNamespace(
            host=HOST, open_port=lambda _: socket.create_connection(server.getsockname())
        ),
    )


def received(port: int, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        found = b""
        while block := connection.recv(65536):
            found += block
        return found


def test_what_is_sent_comes_out_there_and_back_again() -> None:
    server = echo()
    with tunnel(session(server), 5081) as port:
        for data in (b"a little", b"much" * 100_000):
            assert received(port, data) == data
    server.close()


def test_nothing_listens_when_it_is_over() -> None:
    server = echo()
    with tunnel(session(server), 5081) as port:
        pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    server.close()


def test_where_nothing_listens_on_the_phone_a_connection_ends_at_once() -> None:
    with tunnel(cast(Session, SimpleNamespace(host=HOST, open_port=nobody)), 5081) as port:
        assert received(port, b"") == b""
