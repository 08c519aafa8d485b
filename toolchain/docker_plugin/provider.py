"""The provider's own configuration: checked, compared, and turned into a client."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from toolchain.plugin.properties import UNKNOWN, has_unknown

from .client import Client
from .errors import PluginError
from .transport import parse_address

Values = dict[str, Any]

_DEFAULT_HOST: Final = "unix:///var/run/docker.sock"
_TEXT: Final = ("host",)
_STRUCTURED: Final = ("sshOpts", "registryAuth", "disableDockerDaemonCheck")
_UNSUPPORTED: Final = ("caMaterial", "certMaterial", "certPath", "context", "keyMaterial")
# The engine's own, which travel with a provider's inputs.
_ENGINES: Final = ("version", "pluginDownloadURL", "__internal")


@dataclass(frozen=True, kw_only=True)
class Configured:
    """The Engine's client and the registries' credentials by registry name."""

    client: Client
    credentials: Mapping[str, Values] = field(default_factory=dict[str, Values])


def check_config(news: Values) -> tuple[Values, list[tuple[str, str]]]:
    """Inputs as the official plugin keeps them, structured values as JSON, and the failures."""
    failures: list[tuple[str, str]] = []
    inputs: Values = {}
    for key, value in news.items():
        if key in _UNSUPPORTED and value:
            failures.append(
                (key, "needs the official docker plugin; the stand-in does not know it")
            )
        elif key not in (*_TEXT, *_STRUCTURED, *_UNSUPPORTED, *_ENGINES):
            failures.append((key, "unknown property of a docker provider"))
        if has_unknown(value):
            inputs[key] = UNKNOWN
            continue
        try:
            inputs[key] = _folded(value) if key in _STRUCTURED else value
        except ValueError:
            failures.append((key, "is not JSON"))
    if isinstance(inputs.get("host"), str) and not failures:
        try:
            parse_address(inputs["host"], [])
        except PluginError as error:
            failures.append(("host", str(error)))
    return inputs, failures


def _folded(value: Any) -> str:
    """Compact JSON as Go writes it: sorted keys, and `<`, `>` and `&` escaped."""
    if isinstance(value, str):
        value = json.loads(value) if value else value
    if isinstance(value, str):
        return value
    text = json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def configure(args: Values) -> Configured:
    """Raises PluginError for an address that cannot be used. Connects nothing."""
    host = args.get("host") or os.environ.get("DOCKER_HOST") or _DEFAULT_HOST
    options = _unfolded(args.get("sshOpts"))
    if options is None:
        options = os.environ.get("DOCKER_SSH_OPTS", "").split()
    credentials: dict[str, Values] = {}
    for entry in cast("list[Values]", _unfolded(args.get("registryAuth")) or []):
        name = _registry_name(entry.get("address", ""))
        if entry.get("username"):
            credentials[name] = {
                "username": entry["username"],
                "password": entry.get("password", ""),
                "serveraddress": f"https://{name}",
            }
    address = parse_address(host, [str(option) for option in options])
    return Configured(client=Client(address), credentials=credentials)


def _unfolded(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) and value else value


def _registry_name(address: str) -> str:
    return address.removeprefix("https://").removeprefix("http://").split("/")[0]
