"""The Docker Engine's API: requests with a time limit over a small pool of connections."""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from .errors import EngineError, PluginError
from .transport import Address, Connection

# The first request waits for ssh as well, which itself gives up after 30 s.
_CONNECT_LIMIT: Final = 40.0
_REQUEST_LIMIT: Final = 60.0
_POOL: Final = 4
# sshd drops what is idle on flaky links without telling; a fresh connection is cheap.
_IDLE_LIMIT: Final = 30.0
_NEWEST_API: Final = (1, 51)
# sshd turns away connections beyond its MaxStartups before any request is sent: try again then.
_DROPPED: Final = re.compile(r"kex_exchange_identification|Connection (reset|closed) by")
_PAUSES: Final = (0.5, 1.5, None)


class Client:
    """Thread-safe. Nothing is connected before the first request."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._slots = threading.BoundedSemaphore(_POOL)
        self._lock = threading.Lock()
        self._idle: list[tuple[float, Connection]] = []
        self._busy: set[Connection] = set()
        self._version = ""

    def get(self, path: str, query: Mapping[str, Any] | None = None, **options: Any) -> Any:
        return self.request("GET", path, query=query, **options)

    def post(
        self, path: str, body: Any, query: Mapping[str, Any] | None = None, **options: Any
    ) -> Any:
        return self.request("POST", path, body=body, query=query, **options)

    def delete(self, path: str) -> None:
        """Removes what is at the path; that it is gone already is fine."""
        try:
            self.request("DELETE", path)
        except EngineError as error:
            if error.status != 404:
                raise

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        limit: float = _REQUEST_LIMIT,
    ) -> Any:
        """The parsed answer. Raises EngineError for an error of the Engine, PluginError when the
        Engine cannot be reached or stays silent for `limit` seconds."""
        with self._slots:
            connection = self._take()
            try:
                target = f"/v{self._version}{path}{_suffix(query)}"
                status, answer = _send(connection, method, target, body, headers, limit)
            except (OSError, http.client.HTTPException) as error:
                message = self._failure(connection, error, limit)
                self._drop(connection)
                raise PluginError(message) from None
            except BaseException:
                self._drop(connection)
                raise
            self._give(connection)
        if status >= 400:
            raise EngineError(status, _message(answer, status))
        return _parsed(answer)

    def close(self) -> None:
        """Ends every connection, also those in use."""
        with self._lock:
            connections = [*self._busy, *(connection for _, connection in self._idle)]
            self._idle.clear()
        for connection in connections:
            connection.end()

    def _take(self) -> Connection:
        while idle := self._pop():
            if idle.usable():
                return idle
            self._drop(idle)
        for pause in _PAUSES:
            connection = Connection(self._address, _CONNECT_LIMIT)
            with self._lock:
                self._busy.add(connection)
            try:
                self._greet(connection)
                return connection
            except (OSError, http.client.HTTPException) as error:
                dropped = _DROPPED.search(connection.complaint())
                message = self._failure(connection, error, _CONNECT_LIMIT)
                self._drop(connection)
                if pause is None or not dropped:
                    raise PluginError(message) from None
                time.sleep(pause)
            except BaseException:
                self._drop(connection)
                raise
        raise AssertionError("the last attempt returns or raises")

    def _pop(self) -> Connection | None:
        with self._lock:
            if not self._idle:
                return None
            since, connection = self._idle.pop()
            self._busy.add(connection)
        if time.monotonic() - since > _IDLE_LIMIT:
            connection.close()
        return connection

    def _greet(self, connection: Connection) -> None:
        """The first exchange of a connection: a ping, which may be repeated without harm."""
        connection.request("GET", "/_ping")
        response = connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise EngineError(response.status, _message(answer, response.status))
        self._version = _api_version(response.getheader("Api-Version", ""))

    def _give(self, connection: Connection) -> None:
        with self._lock:
            self._busy.discard(connection)
            self._idle.append((time.monotonic(), connection))

    def _drop(self, connection: Connection) -> None:
        with self._lock:
            self._busy.discard(connection)
        connection.end()

    def _failure(self, connection: Connection, error: Exception, limit: float) -> str:
        url = self._address.url
        complaint = connection.complaint()
        if isinstance(error, TimeoutError):
            reason = f"no answer within {limit:.0f} s"
        elif complaint:
            reason = complaint
        elif isinstance(error, FileNotFoundError | PermissionError | ConnectionRefusedError):
            reason = (error.strerror or "refused").lower()
        else:
            reason = "the connection ended before an answer came"
        return f"cannot reach the Docker Engine at {url}: {reason}; check {self._advice(complaint)}"

    def _advice(self, complaint: str) -> str:
        if not self._address.command:
            return "that the Docker Engine runs here and that you may use its socket"
        if "Permission denied" in complaint:
            return "the user name and that its key is installed on the host"
        if "Host key verification failed" in complaint:
            return "the host key: it is not the known one, or not known yet"
        if re.search(r"docker.*not found|dial-stdio|docker daemon|docker\.sock", complaint):
            return "that Docker is installed and running there and that the user may use it"
        return "that the host is on, that sshd answers and that Docker runs there"


def _send(
    connection: Connection,
    method: str,
    target: str,
    body: Any,
    headers: Mapping[str, str] | None,
    limit: float,
) -> tuple[int, bytes]:
    connection.set_timeout(limit)
    data = None if body is None else json.dumps(body).encode()
    sent = {"Content-Type": "application/json"} if data is not None else {}
    connection.request(method, target, body=data, headers={**sent, **(headers or {})})
    response = connection.getresponse()
    return response.status, response.read()


def _suffix(query: Mapping[str, Any] | None) -> str:
    if not query:
        return ""
    return "?" + urllib.parse.urlencode({key: _query_value(v) for key, v in query.items()})


def filters(**terms: Sequence[str]) -> dict[str, Any]:
    """The query for a filtered list."""
    return {"filters": {key: list(values) for key, values in terms.items()}}


def _query_value(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict) else str(value)


def _api_version(offered: str) -> str:
    try:
        major, minor = (int(part) for part in offered.split("."))
    except ValueError:
        return "1.40"
    return "{}.{}".format(*min((major, minor), _NEWEST_API))


def _parsed(answer: bytes) -> Any:
    try:
        return json.loads(answer) if answer.strip() else None
    except ValueError:
        return answer.decode(errors="replace")


def _message(answer: bytes, status: int) -> str:
    parsed = _parsed(answer)
    if isinstance(parsed, dict):
        text = str(cast("dict[str, Any]", parsed).get("message", ""))
    else:
        text = str(parsed or "")
    text = re.sub(r"^rpc error: code = \w+ desc = ", "", " ".join(text.split()))
    return text or f"the Docker Engine answered with status {status}"
