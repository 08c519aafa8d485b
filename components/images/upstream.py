"""A registry of somebody's, asked over its own API (the OCI distribution specification).

Without Docker, and public images only: a registry that wants a login refuses.
"""

from __future__ import annotations

import json
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPException, HTTPMessage
from typing import IO, Any, TypeVar
from urllib.parse import urlencode

from .image_names import registry_of
from .media_types import ACCEPT

T = TypeVar("T")

SECONDS = 20.0
HUB = "https://registry-1.docker.io"


class RefusedError(Exception):
    """A registry's no, or its silence, in words."""


def places(name: str, mirror: str | None, hub: str = HUB) -> Iterator[tuple[str, str]]:
    """Where to ask, and for which repository: Docker's own rules for a name without a host.

    The lab's ``mirror`` is asked in the way that its owner gave, by its own name as well.
    """
    mirrors = [mirror.rstrip("/")] if mirror else []
    if host := registry_of(name):
        own = (each for each in mirrors if each.partition("://")[2] == host)
        yield next(own, f"https://{host}"), name.removeprefix(f"{host}/")
        return
    for base in (*mirrors, hub):
        yield base, name if "/" in name else f"library/{name}"


class Upstream:
    """One repository of the registry at ``base``; what it refuses is a :class:`RefusedError`."""

    def __init__(self, base: str, repository: str) -> None:
        self._base = base
        self._repository = repository
        self._token = ""

    def get(self, what: str) -> tuple[HTTPMessage, bytes]:
        """Headers and body of ``manifests/…`` or ``blobs/…``."""
        return self._asked(what, lambda answer: (answer.headers, answer.read()))

    def download(self, digest: str, file: IO[bytes]) -> None:
        """Writes a blob into ``file``."""
        self._asked(f"blobs/{digest}", lambda answer: shutil.copyfileobj(answer, file))

    def _asked(self, what: str, read: Callable[[Any], T]) -> T:
        """An answer, read; where a token is wanted that anybody gets, it is fetched."""
        url = f"{self._base}/v2/{self._repository}/{what}"
        try:
            try:
                return self._open(url, read)
            except urllib.error.HTTPError as error:
                if error.code != 401:
                    raise
                self._token = self._fetched(error.headers.get("WWW-Authenticate", ""))
                return self._open(url, read)
        except urllib.error.HTTPError as error:
            raise RefusedError(_words(error)) from None
        except (OSError, HTTPException, ValueError) as error:
            raise RefusedError(f"does not answer ({error})") from None

    def _open(self, url: str, read: Callable[[Any], T]) -> T:
        if not url.startswith(("https://", "http://")):
            raise RefusedError(f"{url} is no address of a registry")
        request = urllib.request.Request(url)  # noqa: S310  only the two schemes above
        request.add_header("Accept", ACCEPT)
        if self._token:
            # Not sent on to where a blob really lies, which refuses a token that it does not know.
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            return read(answer)

    def _fetched(self, wanted: str) -> str:
        asked = dict(re.findall(r'(\w+)="([^"]*)"', wanted))
        if not wanted.lower().startswith("bearer") or "realm" not in asked:
            raise RefusedError("wants a login, which cloudlet has none of")
        query = {"scope": asked.get("scope") or f"repository:{self._repository}:pull"}
        if "service" in asked:
            query["service"] = asked["service"]
        self._token = ""
        answer = parsed(
            self._open(f"{asked['realm']}?{urlencode(query)}", lambda each: each.read())
        )
        return answer.get("token") or answer.get("access_token") or ""


def parsed(body: bytes) -> dict[str, Any]:
    """The object in an answer."""
    try:
        return json.loads(body)
    except ValueError:
        raise RefusedError("answers with something that is no JSON") from None


def _words(error: urllib.error.HTTPError) -> str:
    if error.code in (401, 403):
        return "lets nobody have it without a login, or has no such image"
    return "has no such image" if error.code == 404 else f"answers {error.code} {error.reason}"
