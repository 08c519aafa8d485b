"""A registry in memory, behind the few paths of its API that cloudlet uses."""

from __future__ import annotations

import hashlib
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

from components.remote.ssh import Host

HOST = Host(name="phone-1", host="192.0.2.1", port=22, user="u", key_file="k")
LIST = "application/vnd.oci.image.index.v1+json"
BUILD = "application/vnd.oci.image.manifest.v1+json"


class Registry:
    """What it holds: manifests by digest, tags by repository, blobs. ``log`` is what was asked."""

    def __init__(self) -> None:
        self.manifests: dict[str, tuple[str, bytes]] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.blobs: dict[str, bytes] = {}
        self.log: list[str] = []
        self.refuses = ""
        self.port = 0

    def put(self, repository: str, tag: str, *platforms: str) -> list[str]:
        """An image for these platforms: the digests of its list and of each build."""
        builds = [
            self._keep(BUILD, {"of": f"{repository}:{tag} {platform}", "layers": []})
            for platform in platforms
        ]
        top = self._keep(
            LIST, {"of": f"{repository}:{tag}", "manifests": [{"digest": each} for each in builds]}
        )
        self.tags.setdefault(repository, {})[tag] = top
        return [top, *builds]

    def _keep(self, kind: str, document: Any) -> str:
        body = json.dumps({"mediaType": kind, **document}).encode()
        digest = digest_of(body)
        self.manifests[digest] = kind, body
        return digest

    @contextmanager
    def serving(self) -> Iterator[Any]:
        """A session with a phone whose every port is this registry's."""

        class Handler(_Handler):
            registry = self

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield SimpleNamespace(
                host=HOST,
                open_port=lambda _: socket.create_connection(("127.0.0.1", self.port)),
            )
        finally:
            server.shutdown()
            server.server_close()


def nobody(_port: int) -> socket.socket:
    """A session's channel to a port where nothing listens."""
    here, there = socket.socketpair()
    there.close()
    return here


def digest_of(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


class _Handler(BaseHTTPRequestHandler):
    registry: Registry
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (its name there)
        pass

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _any(self) -> None:
        held = self.registry
        held.log.append(f"{self.command} {self.path}")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        match = re.fullmatch(r"/v2/(.+)/(manifests|blobs|tags)/(.*)", self.path)
        if self.registry.refuses and self.command in ("PUT", "POST"):
            self._answer(500, self.registry.refuses.encode())
        elif match is None:
            self._answer(200)
        elif match[2] == "tags":
            tags = held.tags.get(match[1])
            text = json.dumps({"tags": sorted(tags) or None}) if tags is not None else ""
            self._answer(404 if tags is None else 200, text.encode())
        elif match[2] == "manifests":
            self._manifest(match[1], match[3], body)
        else:
            self._blob(match[3], body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _any  # noqa: N815  (http.server's names)

    def _manifest(self, repository: str, reference: str, body: bytes) -> None:
        held = self.registry
        tags = held.tags.setdefault(repository, {})
        digest = tags.get(reference, reference)
        if self.command == "PUT":
            digest = digest_of(body)
            held.manifests[digest] = self.headers["Content-Type"], body
            if not reference.startswith("sha256:"):
                tags[reference] = digest
            self._answer(201)
        elif digest not in held.manifests:
            self._answer(404)
        elif self.command == "DELETE":
            del held.manifests[digest]
            held.tags[repository] = {key: each for key, each in tags.items() if each != digest}
            self._answer(202)
        else:
            kind, text = held.manifests[digest]
            self._answer(200, text, Docker_Content_Digest=digest, Content_Type=kind)

    def _blob(self, reference: str, body: bytes) -> None:
        held = self.registry
        if self.command == "POST":
            self._answer(202, Location=f"http://elsewhere/v2/{self.path[4:]}upload?state=1")
        elif self.command == "PUT":
            digest = self.path.rpartition("digest=")[2]
            assert digest_of(body) == digest
            held.blobs[digest] = body
            self._answer(201)
        else:
            blob = held.blobs.get(reference)
            self._answer(404 if blob is None else 200, blob or b"")
