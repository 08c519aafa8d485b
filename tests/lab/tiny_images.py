"""Images of a few megabytes under any name, put into the lab's registry over its own API."""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import platform
import random
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.images.compiling import compile_module
from lab.names import REGISTRY_PUSH_PORT
from lab.names import Lab as LabNames
from lab.system import System

IDLE = Path(__file__).parent / "idle"
_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG = "application/vnd.docker.container.image.v1+json"
_DOCKERS_WORDS = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}
_LAYER = "application/vnd.docker.image.rootfs.diff.tar"


class TinyImages:
    """One program, in images that differ in their environment alone."""

    def __init__(self, lab: LabNames, system: System) -> None:
        self._lab = lab
        machine = platform.machine()
        self._architecture = _DOCKERS_WORDS.get(machine, machine)
        self._layer = _layer(compile_module(IDLE, self._architecture, system))

    def push(
        self,
        name: str,
        environment: Mapping[str, str] | None = None,
        architecture: str = "",
        ballast: int = 0,
    ) -> str:
        """Puts an image under ``name`` (``library/nginx:1``); its digest.

        Another ``architecture`` than the machine's is only said, not true. ``ballast`` is how many
        bytes it is larger.
        """
        repository, _, tag = name.rpartition(":")
        layers = [self._layer]
        if ballast:
            layers.append(_layer(random.Random(tag).randbytes(ballast), "ballast"))
        digests = [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers]
        config = json.dumps(
            {
                "architecture": architecture or self._architecture,
                "os": "linux",
                "config": {
                    "Entrypoint": ["/idle"],
                    "Env": [f"{key}={value}" for key, value in (environment or {}).items()],
                },
                "rootfs": {"type": "layers", "diff_ids": digests},
            },
            sort_keys=True,
        ).encode()
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": _MANIFEST,
                "config": self._blob(repository, config, _CONFIG),
                "layers": [self._blob(repository, layer, _LAYER) for layer in layers],
            }
        ).encode()
        path = f"/v2/{repository}/manifests/{tag}"
        headers, _ = self._ask("PUT", path, 201, manifest, _MANIFEST)
        return headers["Docker-Content-Digest"]

    def _blob(self, repository: str, data: bytes, kind: str) -> dict[str, Any]:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        if self._ask("HEAD", f"/v2/{repository}/blobs/{digest}", None)[1] != 200:
            headers, _ = self._ask("POST", f"/v2/{repository}/blobs/uploads/", 202)
            place = headers["Location"].partition("/v2/")[2]
            query = "&" if "?" in place else "?"
            path = f"/v2/{place}{query}digest={digest}"
            self._ask("PUT", path, 201, data, "application/octet-stream")
        return {"mediaType": kind, "size": len(data), "digest": digest}

    def _ask(
        self, method: str, path: str, status: int | None, data: bytes = b"", kind: str = ""
    ) -> tuple[http.client.HTTPMessage, int]:
        connection = http.client.HTTPConnection(self._lab.loopback, REGISTRY_PUSH_PORT, timeout=30)
        try:
            connection.request(method, path, data or None, {"Content-Type": kind} if kind else {})
            answer = connection.getresponse()
            text = answer.read()
            assert status in (None, answer.status), (method, path, answer.status, text)
            return answer.headers, answer.status
        finally:
            connection.close()


def _layer(content: bytes, name: str = "idle") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(content), 0o755
        tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
