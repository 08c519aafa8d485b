"""What an image's tag means in its registry, asked over the registry's own API, without Docker.

Public images only: a registry that wants a login refuses.
"""

from __future__ import annotations

import hashlib
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from http.client import HTTPException, HTTPMessage
from typing import Any
from urllib.parse import urlencode

from components.images.architecture import platform
from components.images.image_lock import Locked
from components.images.image_names import familiar

from .errors import OperationError

SECONDS = 20.0
HUB = "https://registry-1.docker.io"
_INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_ACCEPT = ", ".join(
    (
        *_INDEXES,
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)


class _RefusedError(Exception):
    """A registry's no, or its silence, in words."""


def resolve(image: str, mirror: str | None = None) -> Locked:
    """The digest and the builds of an image; ``mirror`` is asked before Docker Hub itself.

    Raises:
        OperationError: nobody has it; the text has each one's reason.
    """
    name, _, tag = familiar(image).rpartition(":")
    reasons: list[str] = []
    for base, repository in _places(name, mirror):
        try:
            return _locked(base, repository, tag)
        except _RefusedError as error:
            reasons.append(f"{base.partition('://')[2]}: {error}")
    raise OperationError(f"image {familiar(image)}: {'; '.join(reasons)}")


def _places(name: str, mirror: str | None) -> Iterator[tuple[str, str]]:
    """Where to ask, and for which repository: Docker's own rules for a name without a host."""
    host, slash, rest = name.partition("/")
    if slash and (host == "localhost" or "." in host or ":" in host):
        yield f"https://{host}", rest
        return
    repository = name if slash else f"library/{name}"
    for base in (mirror, HUB):
        if base is not None:
            yield base.rstrip("/"), repository


def _locked(base: str, repository: str, tag: str) -> Locked:
    headers, body = _get(base, repository, f"manifests/{tag}")
    digest = headers.get("Docker-Content-Digest") or f"sha256:{hashlib.sha256(body).hexdigest()}"
    manifest = _object(body)
    if manifest.get("mediaType", headers.get_content_type()) in _INDEXES:
        builds: list[dict[str, Any]] = [
            each.get("platform") or {} for each in manifest.get("manifests", [])
        ]
    elif "config" in manifest:
        builds = [_object(_get(base, repository, f"blobs/{manifest['config']['digest']}")[1])]
    else:
        raise _RefusedError("answers with a kind of manifest that is no longer in use")
    return Locked(digest=digest, platforms=tuple(_platforms(builds)))


def _platforms(builds: Sequence[dict[str, Any]]) -> list[str]:
    """Each one once. What describes a build, its provenance say, is of an unknown platform."""
    named = {
        platform(
            os=build.get("os", "linux"),
            architecture=build["architecture"],
            variant=build.get("variant", ""),
        )
        for build in builds
        if build.get("architecture") not in (None, "unknown")
    }
    return sorted(named)


def _object(body: bytes) -> dict[str, Any]:
    try:
        return json.loads(body)
    except ValueError:
        raise _RefusedError("answers with something that is no JSON") from None


def _get(base: str, repository: str, what: str) -> tuple[HTTPMessage, bytes]:
    """One answer; a registry that wants a token, which it gives to anybody, is given it."""
    url = f"{base}/v2/{repository}/{what}"
    try:
        return _open(url, {"Accept": _ACCEPT})
    except urllib.error.HTTPError as error:
        if error.code != 401:
            raise _RefusedError(_words(error)) from None
        wanted = error.headers.get("WWW-Authenticate", "")
    except (OSError, HTTPException, ValueError) as error:
        raise _RefusedError(f"does not answer ({error})") from None
    try:
        token = _token(wanted, repository)
        return _open(url, {"Accept": _ACCEPT, "Authorization": f"Bearer {token}"})
    except urllib.error.HTTPError as error:
        raise _RefusedError(_words(error)) from None
    except (OSError, HTTPException, ValueError) as error:
        raise _RefusedError(f"does not answer ({error})") from None


def _token(wanted: str, repository: str) -> str:
    asked = dict(re.findall(r'(\w+)="([^"]*)"', wanted))
    if not wanted.lower().startswith("bearer") or "realm" not in asked:
        raise _RefusedError("wants a login, which this command has none of")
    query = {"scope": asked.get("scope") or f"repository:{repository}:pull"}
    if "service" in asked:
        query["service"] = asked["service"]
    answer = _object(_open(f"{asked['realm']}?{urlencode(query)}", {})[1])
    return answer.get("token") or answer.get("access_token") or ""


def _open(url: str, headers: dict[str, str]) -> tuple[HTTPMessage, bytes]:
    if not url.startswith(("https://", "http://")):
        raise _RefusedError(f"{url} is no address of a registry")
    request = urllib.request.Request(url)  # noqa: S310  only the two schemes above
    for name, value in headers.items():
        # Not sent on to where a blob really lies, which refuses a token that it does not know.
        request.add_unredirected_header(name, value)
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
        return answer.headers, answer.read()


def _words(error: urllib.error.HTTPError) -> str:
    if error.code in (401, 403):
        return "lets nobody have it without a login, or has no such image"
    return "has no such image" if error.code == 404 else f"answers {error.code} {error.reason}"
