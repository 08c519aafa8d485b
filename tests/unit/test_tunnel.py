"""A port of this machine that leads to a phone's loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from types import SimpleNamespace
from typing import Any

import pytest
from fake_registry import HOST, nobody

import components.remote.tunnel
from components.remote.ssh import Host, PhoneError, UnreachableError
from components.remote.tunnel import tunnel


def echo() -> socket.socket:
    """A server that sends back what it is sent, and ends when that ends."""
    server = socket.create_server(("127.0.0.1", 0))

    def answer(connection: socket.socket) -> None:
        with connection:
            while data := connection.recv(65536):
                connection.sendall(data)

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return server


class Phone:
    """A phone whose every port is ``server``; a connection to it takes ``most`` sessions at a time,
    and it takes ``connections`` of them."""

    def __init__(self, server: socket.socket, most: int = 10, connections: int = 99) -> None:
        self.server = server
        self.most = most
        self.connections = connections
        self.open = 0

    @contextmanager
    def connect(self, host: Host) -> Iterator[Any]:
        if self.open == self.connections:
            raise UnreachableError("phone-1 does not answer")
        left = self.most

        def open_port(_: int) -> socket.socket:
            nonlocal left
            if not left:
                raise PhoneError("the connection broke: Open failed")
            left -= 1
            return socket.create_connection(self.server.getsockname())

        self.open += 1
        yield SimpleNamespace(host=host, open_port=open_port)
        self.open -= 1


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with echo() as found:
        yield found


@pytest.fixture
def phone(server: socket.socket, monkeypatch: pytest.MonkeyPatch) -> Phone:
    made = Phone(server)
    monkeypatch.setattr(components.remote.tunnel, "connect", made.connect)
    return made


def received(port: int, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        found = b""
        while block := connection.recv(65536):
            found += block
        return found


def test_what_is_sent_comes_out_there_and_back_again(phone: Phone) -> None:
    with tunnel(HOST, 5081) as way:
        for data in (b"a little", b"much" * 100_000):
            assert received(way.port, data) == data


def test_more_connections_than_sshd_grants_on_one_are_taken(phone: Phone) -> None:
    phone.most = 2
    with tunnel(HOST, 5081) as way, ExitStack() as held:
        address = ("127.0.0.1", way.port)
        idle = [held.enter_context(socket.create_connection(address, 5)) for _ in range(5)]
        for each in idle:
            each.sendall(b"here")
            assert each.recv(4) == b"here"
        assert phone.open == 3
    assert phone.open == 0


def test_why_the_phone_takes_no_more_is_told(phone: Phone) -> None:
    phone.connections = 0
    with tunnel(HOST, 5081) as way:
        with suppress(ConnectionResetError):
            assert received(way.port, b"") == b""
        assert way.refused == "phone-1 does not answer"


def test_nothing_listens_when_it_is_over(phone: Phone) -> None:
    with tunnel(HOST, 5081) as way:
        pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", way.port), timeout=5)


def test_where_nothing_listens_on_the_phone_a_connection_ends_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nowhere = nullcontext(SimpleNamespace(host=HOST, open_port=nobody))
    monkeypatch.setattr(components.remote.tunnel, "connect", lambda _: nowhere)
    with tunnel(HOST, 5081) as way:
        assert received(way.port, b"") == b""
