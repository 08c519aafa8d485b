"""``make lock``: what a registry says of an image, and what is written down of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from components.config.lab import Lab
from components.images import image_lock
from components.images.image_lock import Locked
from components.images.upstream import places
from operations import lock, registry
from operations.errors import OperationError
from operations.pulumi_cli import PulumiStack

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DIGEST = f"sha256:{'a' * 64}"
BUILDS = [
    {"platform": {"os": "linux", "architecture": "arm", "variant": "v7"}},
    {"platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
    {"platform": {"os": "unknown", "architecture": "unknown"}},
]
CONFIG = {"os": "linux", "architecture": "arm", "variant": "v7", "rootfs": {}}


class Registry(ThreadingHTTPServer):
    """Answers by path with a type and a document; asks for a token where ``guarded``."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, tuple[str, Any]] = {}
        self.guarded = False
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = cast("Registry", self.server)
        path = self.path.partition("?")[0]
        server.asked.append(self.path)
        if path == "/token":
            self._send(200, "application/json", {"token": "let-me-in"})
        elif server.guarded and self.headers.get("Authorization") != "Bearer let-me-in":
            self._send(401, "application/json", {})
        elif path in server.answers:
            self._send(200, *server.answers[path])
        else:
            self._send(404, "application/json", {})

    def _send(self, status: int, kind: str, document: Any) -> None:
        server = cast("Registry", self.server)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if kind in (INDEX, MANIFEST):
            self.send_header("Docker-Content-Digest", DIGEST)
        if status == 401:
            realm = f'Bearer realm="{server.url}/token",service="here"'
            self.send_header("WWW-Authenticate", realm)
        self.end_headers()
        self.wfile.write(json.dumps(document).encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    server = Registry()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    monkeypatch.setattr(registry, "HUB", server.url)
    yield server
    server.shutdown()
    server.server_close()


def test_a_tag_is_its_indexs_digest_with_the_builds_that_are_there(served: Registry) -> None:
    served.answers["/v2/library/web/manifests/1"] = (
        INDEX,
        {"mediaType": INDEX, "manifests": BUILDS},
    )
    found = registry.resolve("web:1")
    assert found == Locked(digest=DIGEST, platforms=("linux/arm/v7", "linux/arm64"))


def test_an_image_of_one_build_tells_it_in_its_configuration(served: Registry) -> None:
    served.answers["/v2/shop/web/manifests/latest"] = (MANIFEST, {"config": {"digest": "sha256:c"}})
    served.answers["/v2/shop/web/blobs/sha256:c"] = ("application/octet-stream", CONFIG)
    assert registry.resolve("docker.io/shop/web").platforms == ("linux/arm/v7",)


def test_a_token_that_anybody_gets_is_fetched(served: Registry) -> None:
    served.guarded = True
    served.answers["/v2/library/web/manifests/1"] = (INDEX, {"mediaType": INDEX, "manifests": []})
    assert registry.resolve("web:1").digest == DIGEST
    assert "/token?scope=repository%3Alibrary%2Fweb%3Apull&service=here" in served.asked


def test_the_mirror_is_asked_first_and_docker_hub_after_it(served: Registry) -> None:
    with pytest.raises(OperationError) as caught:
        registry.resolve("web:1", f"{served.url}/")
    text = str(caught.value)
    assert text.startswith("image web:1: 127.0.0.1:")
    assert text.count("has no such image") == 2


def test_a_registry_that_is_off_is_told_from_one_that_lacks_the_image(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "HUB", "http://127.0.0.1:1")
    with pytest.raises(OperationError, match=r"image web:1: 127\.0\.0\.1:1: does not answer"):
        registry.resolve("web:1")


@pytest.mark.parametrize(
    ("image", "place"),
    [
        ("quay.io/prometheus/node-exporter", ("https://quay.io", "prometheus/node-exporter")),
        ("localhost:5000/web", ("https://localhost:5000", "web")),
        ("mirror.lan:5000/web", ("https://mirror.lan:5000", "web")),
        ("web", ("mirror", "library/web")),
        ("shop/web", ("mirror", "shop/web")),
    ],
)
def test_where_an_image_is_asked_for_follows_dockers_rules(
    image: str, place: tuple[str, str]
) -> None:
    assert next(places(image, "mirror")) == place


def test_the_labs_mirror_is_asked_as_its_owner_gave_it_by_its_own_name_too() -> None:
    assert list(places("10.0.0.2:5000/web", "http://10.0.0.2:5000/")) == [
        ("http://10.0.0.2:5000", "web")
    ]


# The file


def lab(file: Path | None) -> Lab:
    return cast("Lab", SimpleNamespace(lock=file, engine=SimpleNamespace(registry_mirror=None)))


STACK = PulumiStack(name="mine")


def locked(
    file: Path, images: list[str], served: Registry, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    monkeypatch.setattr(lock, "_images", lambda _lab: images)
    told: list[str] = []
    lock.lock(STACK, lab(file), told.append)
    return told


def test_what_is_written_is_what_the_program_reads_and_a_second_time_says_nothing_new(
    tmp_path: Path, served: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "lock.yml"
    served.answers["/v2/library/web/manifests/1"] = (
        INDEX,
        {"mediaType": INDEX, "manifests": BUILDS},
    )
    images = ["docker.io/library/web:1", "web:1", f"pinned@{DIGEST}"]
    told = locked(file, images, served, monkeypatch)
    assert told == [
        "web:1: sha256:aaaaaaaaaaaa for linux/arm/v7, linux/arm64",
        f"wrote {file}: 1 image",
    ]
    read = image_lock.read(file.read_text(), source="lock.yml")
    assert read == {"web:1": Locked(digest=DIGEST, platforms=("linux/arm/v7", "linux/arm64"))}
    assert image_lock.missing(read, images) == set()
    assert locked(file, images, served, monkeypatch) == [f"wrote {file}: 1 image"]


def test_a_lab_that_names_no_lock_file_has_one_named_once_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stacks").mkdir()
    monkeypatch.setattr(lock, "ROOT", tmp_path)
    monkeypatch.setattr(lock, "_images", lambda _lab: [])
    keys: dict[str, str] = {}
    monkeypatch.setattr(PulumiStack, "set", lambda _self, key, value: keys.update({key: value}))
    told: list[str] = []
    lock.lock(STACK, lab(None), told.append)
    assert (tmp_path / "stacks" / "mine.lock.yml").exists()
    assert keys == {"cloudlet:lock": "stacks/mine.lock.yml"}
    assert told == [
        "wrote stacks/mine.lock.yml: 0 images",
        "wrote cloudlet:lock: stacks/mine.lock.yml into Pulumi.mine.yaml",
    ]


def test_an_image_that_nobody_has_leaves_the_file_as_it_is(
    tmp_path: Path, served: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "lock.yml"
    file.write_text("{}")
    with pytest.raises(OperationError, match=r"image a:1: .*\nimage b:1: "):
        locked(file, ["b:1", "a:1"], served, monkeypatch)
    assert file.read_text() == "{}"


def test_a_tag_that_means_another_build_is_shown_with_both() -> None:
    one, two = (Locked(digest=f"sha256:{c * 64}", platforms=("linux/arm64",)) for c in "ab")
    assert list(lock.changes({"web:1": one, "old:1": one}, {"web:1": two})) == [
        "web:1: sha256:aaaaaaaaaaaa → sha256:bbbbbbbbbbbb for linux/arm64",
        "old:1: no stack has it any more",
    ]
