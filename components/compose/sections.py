"""The sections of several files as one, as ``docker stack deploy -c one -c two`` merges them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from .node import Node

# A file's sections by name.
Part: TypeAlias = Mapping[str, Node]


def appearances(parts: Sequence[Part], section: str) -> dict[str, list[Node]]:
    """The entries of a section by key, each with its places in the files' order."""
    found: dict[str, list[Node]] = {}
    for part in parts:
        for key, node in part[section].entries().items() if section in part else ():
            found.setdefault(key, []).append(node)
    return found


def last_entries(parts: Sequence[Part], section: str) -> dict[str, Node]:
    """The entries of a section by key: an entry replaces that of a file before it as a whole."""
    found: dict[str, Node] = {}
    for key, nodes in appearances(parts, section).items():
        found[key] = last = nodes[-1]
        before = {name for node in nodes[:-1] for name in _set(node)}
        if lost := sorted(before - _set(last)):
            last.report.warn(
                last.path,
                "replaces the whole entry of the file before, as in docker stack deploy, and so "
                f"loses its {', '.join(lost)}",
            )
    return found


def _set(node: Node) -> set[str]:
    return set(node.entries()) if node.is_mapping else set()


def check_versions(parts: Sequence[Part]) -> None:
    """Note a problem where ``docker stack deploy`` would refuse the files for their versions."""
    first: str | None = None
    for part in parts:
        node = part.get("version")
        version = "" if node is None else node.scalar()
        if node is not None and version.split(".")[0] != "3":
            node.problem(f"{node.shown} is not a version of Swarm's files; remove the line")
        # To the Docker CLI, both are its newest one.
        version = "" if version == "3" else version
        if first is None:
            first = version
        elif version != first:
            _differ(parts)
            return


def _differ(parts: Sequence[Part]) -> None:
    for part in parts:
        if "version" in part:
            part["version"].problem(
                "docker stack deploy refuses files whose versions differ; remove the line"
            )
