"""The Docker Engine API of one phone, spoken through SSH (``docker system dial-stdio``).

JSON over HTTP: a join token travels in a request body and so never stands in a command line, as
it would with the ``docker`` command.
"""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any, cast
from urllib.parse import quote, urlencode

from components.dial import WAYS_OUT

from .ssh import Host, PhoneError, Session, connect

REQUEST_SECONDS = 30.0
PING_SECONDS = 3.0
IDLE_SECONDS = 20.0
# Swarm's words for a lost majority, by what it was doing at that moment and who the leader was.
_NO_LEADER = re.compile(
    r"does not have a leader|no elected cluster leader|lost leader status|raft proposal dropped|"
    r"code = (Unavailable|DeadlineExceeded)"
)
_NOT_MANAGER = "not a swarm manager"
# The newest version whose answers this code was written against; an older engine is asked in its
# own, since Docker refuses versions above and far below what it speaks.
NEWEST_VERSION = (1, 44)


class EngineError(PhoneError):
    """Docker answered with an error. ``status`` is the HTTP status, ``reason`` Docker's words."""

    def __init__(self, phone: str, status: int, reason: str) -> None:
        super().__init__(f"{phone}: Docker says: {reason}")
        self.phone = phone
        self.status = status
        self.reason = reason


class NoLeaderError(EngineError):
    """The order needs a majority of the managers, and there is none at this moment."""

    def __str__(self) -> str:
        return (
            f"{self.phone}: the managers have no leader: they are electing one, or their majority "
            f"is lost. {WAYS_OUT}"
        )


class NotManagerError(EngineError):
    """Only a manager takes the order, and the phone is none, or is none any more."""


class _Connection(http.client.HTTPConnection):
    """HTTP over an SSH channel, opened anew whenever Docker has closed the last one."""

    def __init__(self, session: Session, seconds: float) -> None:
        super().__init__("docker", timeout=seconds)
        self._session = session

    def connect(self) -> None:
        channel = self._session.open_channel("docker system dial-stdio")
        channel.settimeout(cast(float, self.timeout))
        self.sock = cast(Any, channel)

    @contextmanager
    def within(self, seconds: float) -> Generator[None]:
        """Answers must come in ``seconds`` for the length of a ``with`` block."""
        usual = cast(float, self.timeout)
        self._allow(seconds)
        try:
            yield
        finally:
            self._allow(usual)

    def _allow(self, seconds: float) -> None:
        self.timeout = seconds
        if self.sock is not None:
            self.sock.settimeout(seconds)


class Engine:
    """Requests to one engine; paths are as in Docker's API reference, without the version."""

    def __init__(self, session: Session, seconds: float = REQUEST_SECONDS) -> None:
        self.phone = session.host.name
        self._http = _Connection(session, seconds)
        self._version = ""

    def get(self, path: str, **query: Any) -> Any:
        return json.loads(self.request("GET", path, query) or b"null")

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        return json.loads(self.request("POST", path, query, body) or b"null")

    def delete(self, path: str, **query: Any) -> None:
        self.request("DELETE", path, query)

    def request(self, method: str, path: str, query: Mapping[str, Any], body: Any = None) -> bytes:
        """One request; the answer's body.

        Raises:
            EngineError: Docker answered with a status of 400 or above; NoLeaderError where that
                was for want of a majority of the managers, NotManagerError where it is none.
            PhoneError: no answer came in time, or Docker cannot be spoken to by this user.
        """
        if not self._version:
            self._version = self._negotiate()
        target = f"/v{self._version}{quote(path)}"
        filled = {key: _parameter(value) for key, value in query.items() if value is not None}
        if filled:
            target += "?" + urlencode(filled)
        return self._exchange(method, target, body)[1]

    def _negotiate(self) -> str:
        offered = self._exchange("GET", "/_ping", None)[0].get("Api-Version", "1.24")
        major, _, minor = offered.partition(".")
        return ".".join(map(str, min((int(major), int(minor)), NEWEST_VERSION)))

    def _exchange(
        self, method: str, target: str, body: Any
    ) -> tuple[http.client.HTTPMessage, bytes]:
        headers = {"Host": "docker"}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        try:
            self._http.request(method, target, body=data, headers=headers)
            response = self._http.getresponse()
            payload = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._http.close()
            raise PhoneError(
                f"{self.phone}: Docker gave no answer ({error or type(error).__name__}); "
                "is it running there, and is the user in group docker?"
            ) from None
        if response.status >= 400:
            reason = _message(payload)
            kind = NotManagerError if _NOT_MANAGER in reason else EngineError
            kind = NoLeaderError if _NO_LEADER.search(reason) else kind
            raise kind(self.phone, response.status, reason)
        return response.headers, payload

    def ping(self) -> None:
        """Raises PhoneError where Docker does not answer at once."""
        with self._http.within(PING_SECONDS):
            self._exchange("GET", "/_ping", None)

    def close(self) -> None:
        self._http.close()


def _parameter(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


def _message(payload: bytes) -> str:
    try:
        return json.loads(payload)["message"]
    except (ValueError, KeyError, TypeError):
        return payload.decode("utf-8", "replace").strip() or "no reason given"


@dataclass(kw_only=True)
class _Kept:
    """An open connection that nobody uses, and since when."""

    client: Engine
    closing: ExitStack
    since: float = 0.0

    def is_good(self) -> bool:
        try:
            self.client.ping()
        except PhoneError:
            return False
        return True


_idle: dict[tuple[Host, float], list[_Kept]] = {}
_shelf = Lock()


@contextmanager
def engine(host: Host, seconds: float = REQUEST_SECONDS) -> Generator[Engine]:
    """The engine of ``host`` for the length of a ``with`` block; raises as :func:`ssh.connect`.

    The next block for the same host within :data:`IDLE_SECONDS` goes on with the same connection if
    Docker still answers on it: a login costs more than most that is asked.
    """
    kept = _kept(host, seconds)
    if kept is None:
        with ExitStack() as opened:
            session = opened.enter_context(connect(host))
            client = Engine(session, seconds)
            opened.callback(client.close)
            kept = _Kept(client=client, closing=opened.pop_all())
    try:
        yield kept.client
    finally:
        kept.since = time.monotonic()
        with _shelf:
            _idle.setdefault((host, seconds), []).append(kept)


def _kept(host: Host, seconds: float) -> _Kept | None:
    """A connection of a moment ago that still is one; those that are old or dead are closed."""
    while True:
        oldest = time.monotonic() - IDLE_SECONDS
        with _shelf:
            found = _idle.get((host, seconds), [])
            kept = found.pop() if found else None
        if kept is None or (kept.since >= oldest and kept.is_good()):
            return kept
        kept.closing.close()
