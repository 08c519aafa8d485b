"""The Python packages beside the program, as the engine wants to know them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import metadata
from typing import Any

from pulumi.runtime.proto import language_pb2, plugin_pb2


def sdk_version() -> str:
    """The version of Pulumi's SDK, which the program is written against."""
    return metadata.version("pulumi")


def required() -> list[Any]:
    """The provider plugins that installed packages speak to.

    A package names its plugin in a ``pulumi-plugin.json`` of its own.
    """
    found: list[Any] = []
    for distribution in metadata.distributions():
        for plugin in _plugins(distribution):
            if not plugin.get("resource"):
                continue
            version = str(plugin.get("version") or distribution.version)
            found.append(
                plugin_pb2.PackageDependency(
                    name=str(plugin.get("name") or _normal(distribution.name)),
                    kind="resource",
                    version=version if version.startswith("v") else f"v{version}",
                    server=str(plugin.get("server") or ""),
                )
            )
    return sorted(found, key=lambda dependency: dependency.name)


def installed(*, transitive: bool) -> list[Any]:
    """All installed packages, or only those that no other installed one requires."""
    versions = {_normal(found.name): found.version for found in metadata.distributions()}
    hidden: set[str] = set() if transitive else set(_requirements())
    return [
        language_pb2.DependencyInfo(name=name, version=version)
        for name, version in sorted(versions.items())
        if name not in hidden
    ]


def _plugins(distribution: metadata.Distribution) -> Iterator[dict[str, Any]]:
    if not _normal(distribution.name).startswith("pulumi-"):
        return
    for path in distribution.files or ():
        if path.name == "pulumi-plugin.json":
            yield json.loads(path.read_text(encoding="utf-8"))


def _requirements() -> Iterator[str]:
    for distribution in metadata.distributions():
        for requirement in distribution.requires or ():
            if match := re.match(r"[A-Za-z0-9._-]+", requirement):
                yield _normal(match.group())


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
