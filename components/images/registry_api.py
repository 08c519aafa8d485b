"""A registry's own API (the OCI distribution specification), spoken through SSH.

Just what Docker has no command for: what is there, what goes, and an archive put into it.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, cast

from components.remote.ssh import PhoneError, Session

from .media_types import ACCEPT, INDEX

REQUEST_SECONDS = 120.0
_DIGEST = "Docker-Content-Digest"


class _Connection(http.client.HTTPConnection):
    def __init__(self, session: Session, port: int) -> None:
        super().__init__("registry", timeout=REQUEST_SECONDS)
        self._session = session
        self._port = port

    def connect(self) -> None:
        channel = self._session.open_port(self._port)
        channel.settimeout(REQUEST_SECONDS)
        self.sock = cast(Any, channel)


class RegistryApi:
    """Requests to the registry behind a port of the phone's loopback."""

    def __init__(self, session: Session, port: int) -> None:
        self._phone = session.host.name
        self._http = _Connection(session, port)

    def ping(self) -> None:
        """Raises PhoneError where no registry answers."""
        self._ask("GET", "/v2/", (200,))

    def digest(self, repository: str, reference: str) -> str | None:
        """The digest of what a tag or digest names; ``None`` where it is not there."""
        status, headers, _ = self._ask("HEAD", _manifest(repository, reference), (200, 404))
        return headers[_DIGEST] if status == 200 else None

    def manifest(self, repository: str, reference: str) -> dict[str, Any]:
        """What a tag or digest names."""
        return json.loads(self._ask("GET", _manifest(repository, reference), (200,))[2])

    def start(self, repository: str, digest: str) -> None:
        """Has a cache begin to fetch a blob, which it goes on with when nobody listens any more."""
        try:
            self._http.request("GET", f"/v2/{repository}/blobs/{digest}")
            self._http.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise self._silence(error) from None
        finally:
            self._http.close()

    def tags(self, repository: str) -> list[str]:
        status, _, body = self._ask("GET", f"/v2/{repository}/tags/list", (200, 404))
        return (json.loads(body).get("tags") or []) if status == 200 else []

    def keep(self, repository: str, tags: Iterable[str]) -> bool:
        """Takes every tag but these away, with what only they held; whether there was one."""
        kept = set(tags)
        held: set[str] = set()
        gone: set[str] = set()
        for tag in self.tags(repository):
            digest = self.digest(repository, tag)
            if digest is not None:
                builds = self.manifest(repository, tag).get("manifests", [])
                digests = {digest, *(each["digest"] for each in builds)}
                held, gone = (held | digests, gone) if tag in kept else (held, gone | digests)
        for digest in sorted(gone - held):
            self.remove(repository, digest)
        return bool(gone - held)

    def remove(self, repository: str, digest: str) -> None:
        """Takes a manifest away; what it held goes when the registry is swept."""
        self._ask("DELETE", _manifest(repository, digest), (202, 404))

    def has(self, repository: str, digest: str) -> bool:
        """Whether a blob is there."""
        return self._ask("HEAD", f"/v2/{repository}/blobs/{digest}", (200, 404))[0] == 200

    def put_blob(self, repository: str, digest: str, size: int, data: IO[bytes]) -> None:
        _, headers, _ = self._ask("POST", f"/v2/{repository}/blobs/uploads/", (202,))
        place = headers["Location"].partition("/v2/")[2]
        joint = "&" if "?" in place else "?"
        length = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
        self._ask("PUT", f"/v2/{place}{joint}digest={digest}", (201,), data, length)

    def put_manifest(self, repository: str, reference: str, body: bytes, kind: str) -> None:
        """Puts a manifest, of which all is there, under a tag or its digest."""
        self._ask("PUT", _manifest(repository, reference), (201,), body, {"Content-Type": kind})

    def upload(self, archive: Path, repository: str, tag: str) -> str:
        """Puts the image of an OCI archive under a tag; the digest of its list."""
        with tarfile.open(archive) as tar:
            (top,) = json.loads(_member(tar, "index.json").read())["manifests"]
            if top["mediaType"] == INDEX:
                return self._put(tar, repository, top, tag)
            # BuildKit makes no list of one build. The time of its making would change the digest.
            top.pop("annotations", None)
            self._put(tar, repository, top, top["digest"])
        listed = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [top]}
        body = json.dumps(listed, sort_keys=True).encode()
        self.put_manifest(repository, tag, body, INDEX)
        return f"sha256:{hashlib.sha256(body).hexdigest()}"

    def _put(self, tar: tarfile.TarFile, repository: str, what: dict[str, Any], tag: str) -> str:
        body = _blob(tar, what["digest"]).read()
        document = json.loads(body)
        for build in document.get("manifests", []):
            self._put(tar, repository, build, build["digest"])
        if "config" in document:
            for blob in (document["config"], *document["layers"]):
                if not self.has(repository, blob["digest"]):
                    with _blob(tar, blob["digest"]) as data:
                        self.put_blob(repository, blob["digest"], blob["size"], data)
        self.put_manifest(repository, tag, body, what["mediaType"])
        return what["digest"]

    def _ask(
        self,
        method: str,
        path: str,
        expected: tuple[int, ...],
        body: bytes | IO[bytes] | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Status, headers and body of the answer; raises PhoneError for any other status."""
        asked = {"Accept": ACCEPT, **(headers or {})}
        try:
            self._http.request(method, path, body, asked)
            answer = self._http.getresponse()
            payload = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._http.close()
            raise self._silence(error) from None
        if answer.status not in expected:
            words = payload.decode(errors="replace").strip() or answer.reason
            raise PhoneError(f"{self._phone}: the lab's registry says: {words}")
        return answer.status, answer.headers, payload

    def _silence(self, error: Exception) -> PhoneError:
        words = error or type(error).__name__
        return PhoneError(f"{self._phone}: the lab's registry gives no answer ({words})")

    def close(self) -> None:
        self._http.close()


def _manifest(repository: str, reference: str) -> str:
    return f"/v2/{repository}/manifests/{reference}"


def _blob(tar: tarfile.TarFile, digest: str) -> IO[bytes]:
    return _member(tar, f"blobs/{digest.replace(':', '/')}")


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    found = tar.extractfile(name)
    assert found is not None, name
    return found
