"""Connections to Docker outlive who asked, for the next one in the same run."""

from __future__ import annotations

import socket
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any, cast

import pytest

from components.remote import engine_api
from components.remote.engine_api import engine
from components.remote.ssh import Host, PhoneError, Session

HOST = Host(name="phone-1", host="192.0.2.1", port=22, user="u", key_file="k")


class _Docker(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b"OK" if self.path == "/_ping" else b"{}"
        self.send_response(200)
        self.send_header("Api-Version", "1.44")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class names it
        return


class Phone:
    """A phone whose Docker answers; ``logins`` and ``ended`` count SSH connections."""

    def __init__(self) -> None:
        self.docker = ThreadingHTTPServer(("127.0.0.1", 0), _Docker)
        self.docker.daemon_threads = True
        self.logins = 0
        self.ended = 0
        self._channels: list[socket.socket] = []

    @contextmanager
    def connect(self, host: Host) -> Generator[Session]:
        self.logins += 1
        try:
            yield cast(Session, SimpleNamespace(host=host, open_channel=self._open))
        finally:
            self.ended += 1

    def restart_docker(self) -> None:
        for channel in self._channels:
            channel.shutdown(socket.SHUT_RDWR)

    def _open(self, _command: str) -> socket.socket:
        channel = socket.create_connection(("127.0.0.1", self.docker.server_port))
        self._channels.append(channel)
        return channel


@pytest.fixture
def phone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Phone]:
    made = Phone()
    threading.Thread(target=made.docker.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setattr(engine_api, "connect", made.connect)
    monkeypatch.setattr(engine_api, "_idle", {})
    yield made
    made.docker.shutdown()
    made.docker.server_close()


def ask(host: Host = HOST) -> None:
    with engine(host) as client:
        assert client.get("/info") == {}


def test_one_after_the_other_goes_on_with_the_same_connection(phone: Phone) -> None:
    ask()
    ask()
    assert (phone.logins, phone.ended) == (1, 0)


def test_two_at_once_have_one_each(phone: Phone) -> None:
    with engine(HOST):
        ask()
    ask()
    assert phone.logins == 2


def test_another_host_key_is_another_host(phone: Phone) -> None:
    ask()
    ask(HOST.with_host_key("ssh-ed25519 AAAA"))
    assert phone.logins == 2


def test_a_connection_that_lay_idle_for_long_is_closed(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_api, "IDLE_SECONDS", -1.0)
    ask()
    ask()
    assert (phone.logins, phone.ended) == (2, 1)


def test_docker_that_was_restarted_is_asked_over_a_new_connection(phone: Phone) -> None:
    ask()
    phone.restart_docker()
    ask()
    assert (phone.logins, phone.ended) == (2, 1)


def test_what_the_asker_fails_at_harms_no_one_after_it(phone: Phone) -> None:
    with pytest.raises(PhoneError, match="not today"):
        with engine(HOST):
            raise PhoneError("not today")
    ask()
    assert phone.logins == 1
