"""The lab's registry on its phone: made, changed, found lost, taken away."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fake_registry import HOST

from components import registry
from components.images.registry_place import RegistryPlace, repository
from components.registry import RegistryProvider, container
from components.remote import shell
from components.remote.engine_api import EngineError
from components.remote.ssh import Host, PhoneError, Result, Session, UnreachableError

PROPS: dict[str, Any] = {
    "name": "phone-1",
    "phone": HOST.to_inputs(),
    "address": "192.168.8.11",
    # As Pulumi hands numbers over.
    "port": 5080.0,
    "cache_mb": 4096.0,
    "upstream": "https://registry-1.docker.io",
    "serves": "yes",
}
PULLED = b'{"status": "Pulling"}\n{"status": "Done"}\n'


class Docker:
    """A phone's Docker, as far as the registry asks it."""

    phone = "phone-1"

    def __init__(self) -> None:
        self.container: dict[str, Any] | None = None
        self.created = ""
        self.log: list[str] = []
        self.pulls = PULLED
        self.has_image = True
        self.start_fails = ""

    def get(self, path: str, **_: Any) -> Any:
        if path.startswith("/images/"):
            return self._or_404(self.has_image and {})
        if path.startswith("/volumes/"):
            return self._or_404(self.created and {"CreatedAt": self.created})
        if self.container is None:
            raise EngineError(self.phone, 404, "no such container")
        return {
            "State": {"Running": self.container["running"]},
            "Config": {"Labels": self.container["asked"]["Labels"]},
        }

    def _or_404(self, found: Any) -> Any:
        if found in ("", False, None):
            raise EngineError(self.phone, 404, "not there")
        return found

    def post(self, path: str, body: Any = None, **_: Any) -> None:
        self.log.append(f"POST {path}")
        if path.endswith("/create"):
            self.container = {"running": False, "asked": body}
            self.created = self.created or f"made {len(self.log)}"
        elif path.endswith("/start"):
            if self.start_fails:
                raise EngineError(self.phone, 500, self.start_fails)
            assert self.container is not None
            self.container["running"] = True

    def delete(self, path: str, **_: Any) -> None:
        self.log.append(f"DELETE {path}")
        if path.startswith("/containers"):
            self.container = None
        else:
            self.created = ""

    def request(self, method: str, path: str, query: Mapping[str, Any]) -> bytes:
        self.log.append(f"{method} {path}")
        return self.pulls if "images" in path else b"\1\0\0\0\0\0\0\4no x\n"

    def close(self) -> None:
        pass


@pytest.fixture
def docker(monkeypatch: pytest.MonkeyPatch) -> Docker:
    made = Docker()

    @contextmanager
    def connect(host: Host) -> Iterator[Any]:
        yield SimpleNamespace(host=host)

    @contextmanager
    def engine(_host: Host) -> Iterator[Docker]:
        yield made

    monkeypatch.setattr(registry, "connect", connect)
    monkeypatch.setattr(registry, "engine", engine)
    monkeypatch.setattr(registry, "Engine", lambda *_: made)
    monkeypatch.setattr(registry, "START_SECONDS", 0.0)
    monkeypatch.setattr(
        registry, "RegistryApi", lambda *_: SimpleNamespace(ping=lambda: None, close=lambda: None)
    )
    return made


def created(docker: Docker, **changes: Any) -> dict[str, Any]:
    return RegistryProvider().create(PROPS | changes).outs or {}


def test_only_reading_is_open_to_the_network() -> None:
    bound = container(PROPS)["HostConfig"]["PortBindings"]
    assert {port: each["HostIp"] for port, (each,) in bound.items()} == {
        "5080/tcp": "",
        "5081/tcp": "127.0.0.1",
        "5082/tcp": "",
    }


def test_it_starts_with_the_phone() -> None:
    assert container(PROPS)["HostConfig"]["RestartPolicy"] == {"Name": "always"}


def test_what_runs_as_asked_is_left_alone(docker: Docker) -> None:
    first = created(docker)
    docker.log.clear()
    assert created(docker) == first
    assert docker.log == []


def test_a_change_keeps_what_was_pushed(docker: Docker) -> None:
    before = created(docker)
    after = RegistryProvider().update("", before, PROPS | {"cache_mb": 100.0}).outs or {}
    assert docker.log.count("POST /containers/create") == 2
    assert after["storage"] == before["storage"]


def test_another_phone_is_another_registry(capsys: pytest.CaptureFixture[str]) -> None:
    moved = {"name": "phone-2", "phone": {**PROPS["phone"], "name": "phone-2", "port": 2202.0}}
    plan = RegistryProvider().diff("", PROPS, PROPS | moved)
    assert capsys.readouterr().out == "the lab's registry: phone-1 → phone-2\n"
    assert (plan.changes, plan.replaces) == (True, ["name"])


@pytest.mark.parametrize(
    ("happened", "words"),
    [
        (lambda docker: docker.delete("/containers/x"), "is not there"),
        (lambda docker: docker.container.update(running=False), "is stopped"),
        (lambda docker: docker.container["asked"].update(Labels=None), "was changed"),
    ],
)
def test_what_happened_to_it_is_a_change_in_a_plan(
    docker: Docker, happened: Any, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    outs = created(docker)
    happened(docker)
    seen = RegistryProvider().read("phone-1", outs).outs or {}
    assert seen["serves"] == words
    assert RegistryProvider().diff("", seen, PROPS).changes
    assert f"phone-1: the lab's registry {words}; `make up` mends it" in capsys.readouterr().out
    assert (RegistryProvider().update("", seen, PROPS).outs or {})["serves"] == "yes"
    assert docker.container
    assert docker.container["running"]


def test_a_volume_that_is_gone_is_another_storage(docker: Docker) -> None:
    before = created(docker)
    RegistryProvider().delete("", before)
    assert docker.log[-2:] == [
        "DELETE /containers/cloudlet-registry",
        "DELETE /volumes/cloudlet-registry",
    ]
    assert created(docker)["storage"] != before["storage"]


@pytest.mark.parametrize(
    ("reason", "how"),
    [
        ("no such host", "bring the image there (`docker load`)"),
        ("write /x: no space left on device", "make room there (`docker system prune`)"),
    ],
)
def test_an_image_that_cannot_be_pulled_is_told_unless_it_is_there(
    docker: Docker, reason: str, how: str
) -> None:
    docker.pulls = b'{"status": "Pulling"}\n{"error": "%s"}\n' % reason.encode()
    created(docker)
    RegistryProvider().delete("", PROPS)
    docker.has_image = False
    with pytest.raises(PhoneError) as caught:
        created(docker)
    assert str(caught.value) == (
        f"phone-1: cannot have the image registry:2, which is the lab's registry: {reason}; {how}, "
        "or name another phone in cloudlet:registry"
    )


def test_a_port_that_is_taken_is_told_with_the_key(docker: Docker) -> None:
    docker.start_fails = "Bind for 0.0.0.0:5080 failed: port is already allocated"
    with pytest.raises(PhoneError) as caught:
        created(docker)
    assert str(caught.value) == (
        "phone-1: the lab's registry does not start: Bind for 0.0.0.0:5080 failed: port is "
        "already allocated; registry.port 5080 and the two after it must be free there"
    )
    assert docker.container is None, "the next try would take it for the registry"


def test_a_phone_too_full_for_a_registry_is_told_what_to_do(docker: Docker) -> None:
    docker.start_fails = "mkdir /var/lib/docker/x: no space left on device"
    with pytest.raises(PhoneError) as caught:
        created(docker)
    assert str(caught.value).endswith(
        "no space left on device; make room there (`docker system prune`), or name another phone "
        "in cloudlet:registry"
    )


def test_what_is_swept_is_what_no_image_has_and_what_came_of_one_that_broke_off() -> None:
    sent: list[tuple[str, str]] = []

    def run(command: str, *, stdin: str, seconds: float) -> Result:
        sent.append((command, stdin))
        return Result(status=1, stdout="", stderr="no such file\n")

    with pytest.raises(PhoneError, match="phone-1: the lab's registry could not be swept: no such"):
        registry.sweep(cast(Session, SimpleNamespace(host=HOST, run=run)))
    ((command, script),) = sent
    assert command == "docker exec -i cloudlet-registry sh -s"
    assert script.index("/_uploads/") < script.index("garbage-collect")


def test_a_registry_that_never_answers_is_told_with_its_last_words(
    docker: Docker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ping() -> None:
        raise PhoneError("no")

    monkeypatch.setattr(
        registry, "RegistryApi", lambda *_: SimpleNamespace(ping=ping, close=lambda: None)
    )
    with pytest.raises(
        PhoneError, match=r"^no\. .* within 0 s of its start\. Its last words: no x"
    ):
        created(docker)


def test_a_phone_that_is_off_stops_neither_refresh_nor_destroy(
    docker: Docker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outs = created(docker)

    def engine(_host: Host) -> Any:
        raise UnreachableError("phone-1 does not answer")

    monkeypatch.setattr(registry, "engine", engine)
    assert RegistryProvider().read("phone-1", outs).outs == outs
    assert "write cloudlet:registry: {phone: …}" in capsys.readouterr().out
    RegistryProvider().delete("phone-1", outs)
    assert "No running service needs it" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("stack", "service", "name"),
    [
        ("hello", "web", "hello/web"),
        ("go_coffee", "web-api", "go_coffee/web-api"),
    ],
)
def test_a_repository_is_called_as_its_service(stack: str, service: str, name: str) -> None:
    assert repository(stack, service) == name


def test_a_name_that_docker_would_not_take_is_written_otherwise_and_shared_with_none() -> None:
    names = [repository("Hello", "web"), repository("hello-", "web"), repository("hello", "web")]
    assert names[2] == "hello/web"
    assert len(set(names)) == 3
    assert all(name.startswith("hello/web/") for name in names[:2])


def test_a_place_is_three_ports() -> None:
    place = RegistryPlace(phone="phone-1", address="192.168.8.11", port=5080)
    assert (place.images, place.push_port, place.cache) == (
        "192.168.8.11:5080",
        5081,
        "192.168.8.11:5082",
    )


@pytest.mark.parametrize("interpreter", [["dash"], ["busybox", "sh"]], ids=" ".join)
def test_the_cache_gives_its_oldest_up_and_stays_below_its_size(
    interpreter: list[str], tmp_path: Path
) -> None:
    program = shutil.which(interpreter[0])
    if program is None:
        pytest.skip(f"{interpreter[0]} is not installed")
    blobs = tmp_path / "cache" / "docker" / "blobs" / "sha256"
    for number in range(10):
        blob = blobs / f"{number:02}" / "data"
        blob.parent.mkdir(parents=True)
        blob.write_bytes(b"x" * 102_400)
        subprocess.run(["touch", "-d", f"2026-01-{10 + number:02}", blob], check=True)
    served = tmp_path / "registry"
    served.write_text("#!/bin/sh\nexec sleep 3\n")
    served.chmod(0o755)
    script = shell.text("registry.sh").replace("/var/lib/registry", str(tmp_path))
    script = script.replace("/tmp/$", f"{tmp_path}/$")
    process = subprocess.Popen(
        [program, *interpreter[1:], "-c", script],
        env={
            "PATH": f"{tmp_path}:/usr/bin:/bin",
            "IMAGES_PORT": "5080",
            "PUSH_PORT": "5081",
            "CACHE_PORT": "5082",
            "CACHE_KB": "600",
            "UPSTREAM": "http://192.168.8.2:5000",
            "EVERY_SECONDS": "1",
        },
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        status = process.wait(20)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
    assert process.stdout is not None
    with process.stdout as output:
        told = output.read()
    assert status == 1, "with its registries gone it ends, and Docker starts it anew"
    assert "KB of 600: its oldest images go" in told
    left = sorted(path.parent.name for path in blobs.glob("*/data"))
    assert left
    assert left == [f"{number:02}" for number in range(10 - len(left), 10)]
    assert len(left) * 100 <= 450
    assert 'remoteurl: "http://192.168.8.2:5000"' in (tmp_path / "cache.yml").read_text()
    assert "readonly: {enabled: true}" in (tmp_path / "images.yml").read_text()
    assert "readonly" not in (tmp_path / "push.yml").read_text()
