"""A remote command's inputs: what is allowed, what is added, what becomes secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from toolchain.plugin.properties import Secret, Unknown

_LOGGING: Final = ("stdout", "stderr", "stdoutAndStderr", "none")
_COMMAND: Final = {
    "triggers": "a list",
    "create": "a string",
    "update": "a string",
    "delete": "a string",
    "stdin": "a string",
    "logging": "a string",
    "connection": "an object",
    "environment": "an object",
    "addPreviousOutputInEnv": "a boolean",
}
_HOST: Final = {
    "host": "a string",
    "port": "a number",
    "user": "a string",
    "password": "a string",
    "privateKey": "a string",
    "privateKeyPassword": "a string",
    "agentSocketPath": "a string",
    "dialErrorLimit": "a number",
    "perDialTimeout": "a number",
    "hostKey": "a string",
}
_CONNECTION: Final = {**_HOST, "proxy": "an object"}
# What the official plugin adds, so that a state made by one holds no difference for the other.
_DEFAULTS: Final = {"user": "root", "port": 22, "dialErrorLimit": 10, "perDialTimeout": 15}
SECRET_FIELDS: Final = ("password", "privateKey", "privateKeyPassword")


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One mistake in a program's inputs; `reason` holds no value, which might be secret."""

    property: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Checked:
    """The inputs for the state, or what is wrong with them."""

    inputs: dict[str, Any]
    failures: list[Failure]


def check(given: Mapping[str, Any]) -> Checked:
    """Inputs with defaults and secret markers. With failures, nothing but secrets is added."""
    failures = list(_failures(given))
    inputs = dict(given)
    if "connection" in inputs:
        connection = _unwrap(inputs["connection"])
        if isinstance(connection, dict):
            connection = _complete(connection, defaults=not failures)
        inputs["connection"] = Secret(connection)
    return Checked(inputs=inputs, failures=failures)


def _complete(connection: dict[str, Any], *, defaults: bool) -> dict[str, Any]:
    completed = {**_DEFAULTS, **connection} if defaults else dict(connection)
    for name in SECRET_FIELDS:
        if name in completed:
            completed[name] = Secret(_unwrap(completed[name]))
    proxy = completed.get("proxy")
    if isinstance(_unwrap(proxy), dict):
        inner = _complete(_unwrap(proxy), defaults=defaults)
        completed["proxy"] = Secret(inner) if isinstance(proxy, Secret) else inner
    return completed


def _failures(given: Mapping[str, Any]) -> Iterator[Failure]:
    yield from _wrong(given, _COMMAND, "", needed=("connection",))
    connection = _unwrap(given.get("connection"))
    if isinstance(connection, dict):
        yield from _wrong(connection, _CONNECTION, "connection.", needed=("host",))
        proxy = _unwrap(connection.get("proxy"))
        if isinstance(proxy, dict):
            yield from _wrong(proxy, _HOST, "connection.proxy.", needed=("host",))
    environment = _unwrap(given.get("environment"))
    if isinstance(environment, dict):
        kinds = dict.fromkeys(environment, "a string")
        yield from _wrong(environment, kinds, "environment.", needed=())
    logging = _unwrap(given.get("logging"))
    if isinstance(logging, str) and logging not in _LOGGING:
        yield Failure(property="logging", reason=f"must be one of {', '.join(_LOGGING)}")


def _wrong(
    given: Mapping[str, Any], kinds: Mapping[str, str], prefix: str, *, needed: tuple[str, ...]
) -> Iterator[Failure]:
    for name in needed:
        if name not in given:
            yield Failure(property=prefix + name, reason="is required")
    for name, wrapped in given.items():
        value = _unwrap(wrapped)
        wanted = kinds.get(name)
        if wanted is None:
            yield Failure(property=prefix + name, reason="is not known to a remote command")
        elif not isinstance(value, Unknown) and _kind(value) != wanted:
            yield Failure(property=prefix + name, reason=f"must be {wanted}, but is {_kind(value)}")


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "an object"


def _unwrap(value: Any) -> Any:
    while isinstance(value, Secret):
        value = value.value
    return value
