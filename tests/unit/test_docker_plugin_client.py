"""How the docker stand-in reaches an Engine, and what it says when it cannot."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from toolchain.docker_plugin.client import Client, filters
from toolchain.docker_plugin.errors import EngineError, PluginError
from toolchain.docker_plugin.objects import Configs, Manager, Networks, Secrets
from toolchain.docker_plugin.services import Services
from toolchain.docker_plugin.transport import Address, parse_address


class _Engine(socketserver.ThreadingUnixStreamServer):
    """Answers by path, and counts what it was asked."""

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        self.answers: dict[str, tuple[int, Any]] = {}
        self.asked: list[str] = []
        self.connections = 0
        super().__init__(str(path), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Engine  # pyright: ignore[reportIncompatibleVariableOverride]

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        self.server.asked.append(f"{self.command} {self.path}")
        path = self.path.partition("?")[0].removeprefix("/v1.45")
        status, body = self.server.answers.get(path, (200, None))
        data = json.dumps(body).encode() if body is not None else b""
        self.send_response(status)
        self.send_header("Api-Version", "1.45")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815

    def address_string(self) -> str:
        return "test"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Says nothing."""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[_Engine]:
    with _Engine(tmp_path / "docker.sock") as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()


@pytest.fixture
def client(engine: _Engine, tmp_path: Path) -> Iterator[Client]:
    path = str(tmp_path / "docker.sock")
    client = Client(Address(url=f"unix://{path}", socket_path=path))
    yield client
    client.close()


def test_requests_share_a_connection_and_speak_the_engine_s_version(
    engine: _Engine, client: Client
) -> None:
    engine.answers["/tasks"] = (200, [1])
    assert client.get("/tasks", filters(service=["s"])) == [1]
    assert client.get("/tasks") == [1]
    assert engine.connections == 1
    assert engine.asked[0] == "GET /_ping"
    assert engine.asked[1] == "GET /v1.45/tasks?filters=%7B%22service%22%3A+%5B%22s%22%5D%7D"


def test_the_engine_s_own_error_is_passed_on(engine: _Engine, client: Client) -> None:
    message = "rpc error: code = InvalidArgument desc = secret is\n in use"
    engine.answers["/secrets/x"] = (400, {"message": message})
    with pytest.raises(EngineError, match=r"^secret is in use$") as caught:
        client.delete("/secrets/x")
    assert caught.value.status == 400


def test_removing_what_is_gone_is_fine(engine: _Engine, client: Client) -> None:
    engine.answers["/secrets/x"] = (404, {"message": "no such secret"})
    client.delete("/secrets/x")
    assert engine.asked[-1] == "DELETE /v1.45/secrets/x"


def test_an_engine_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = str(tmp_path / "none.sock")
    client = Client(Address(url=f"unix://{path}", socket_path=path))
    with pytest.raises(PluginError, match=r"none\.sock: no such file or directory; check that"):
        client.get("/tasks")


def test_what_ssh_says_is_in_the_error() -> None:
    command = ("sh", "-c", "echo 'ssh: connect to host h: Connection refused' >&2; exit 255")
    client = Client(Address(url="ssh://u@h", command=command))
    with pytest.raises(PluginError) as caught:
        client.get("/tasks")
    assert str(caught.value) == (
        "cannot reach the Docker Engine at ssh://u@h: ssh: connect to host h: Connection refused; "
        "check that the host is on, that sshd answers and that Docker runs there"
    )


def test_the_ssh_command_is_docker_s_own() -> None:
    address = parse_address("ssh://cloudlet@phone:2201", ["-i", "key file"])
    assert address.command == (
        *("ssh", "-l", "cloudlet", "-p", "2201", "-i", "key file"),
        *("-o", "ConnectTimeout=30", "-o", "BatchMode=yes", "-T", "--", "phone"),
        *("docker", "system", "dial-stdio"),
    )


@pytest.mark.parametrize(
    ("manager", "kind"),
    [
        (Networks(), "networks"),
        (Secrets(), "secrets"),
        (Configs(), "configs"),
        (Services({}), "services"),
    ],
)
def test_a_name_that_is_taken_is_refused_in_docker_s_words_and_nothing_is_touched(
    engine: _Engine, client: Client, manager: Manager, kind: str
) -> None:
    engine.answers[f"/{kind}/create"] = (409, {"message": "n already exists"})
    engine.answers[f"/{kind}"] = (200, [{"ID": "c", "Name": "n", "Spec": {"Name": "n"}}])
    engine.answers["/distribution/web/json"] = (404, {"message": "no such image"})
    task = {"containerSpec": {"image": "web"}}
    values = {"name": "n", "data": "aGFsbG8=", "taskSpec": task}
    with pytest.raises(EngineError, match=r"^n already exists$"):
        manager.create(client, values)
    assert not [asked for asked in engine.asked if asked.startswith("DELETE")]
