"""Names and labels as ``docker stack deploy`` gives them, and what Swarm allows as one."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .node import Node

NAMESPACE_LABEL = "com.docker.stack.namespace"
IMAGE_LABEL = "com.docker.stack.image"

_SERVICE = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9_-]*[a-zA-Z0-9])?", re.ASCII)
_CONTENT = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9_.-]*[a-zA-Z0-9])?", re.ASCII)
_LONGEST_SERVICE = 63
_LONGEST_CONTENT = 64


def check_service_name(node: Node, key: str, stack: str) -> None:
    """Note a problem where Swarm would refuse ``<stack>_<key>`` as a service's name."""
    if not _SERVICE.fullmatch(key):
        node.report.problem(
            node.path, "Swarm refuses this name; write letters, digits, and - or _ between them"
        )
    elif len(f"{stack}_{key}") > _LONGEST_SERVICE:
        node.report.problem(
            node.path,
            f"the name {stack}_{key} is longer than {_LONGEST_SERVICE} characters; write a "
            "shorter one",
        )


def check_content_name(node: Node, name: str) -> None:
    """Note a problem where Swarm would refuse ``name`` for a secret or config."""
    if len(name) > _LONGEST_CONTENT or not _CONTENT.fullmatch(name):
        node.problem(
            f"Swarm refuses this name; write at most {_LONGEST_CONTENT} letters, digits, and "
            "- _ or . between them"
        )


def external_name(key: str, fields: Mapping[str, Node]) -> str | None:
    """The name of a thing that exists outside the stack, or ``None`` where the stack makes it."""
    external = fields.get("external")
    if external is None:
        return None
    given = fields["name"].name() if "name" in fields else None
    if not external.is_mapping:
        return (given or key) if external.boolean() else None
    inner = external.fields({"name"}).get("name")
    if inner is not None and given is not None:
        inner.problem("stands beside name; remove external.name and write external: true")
    return (inner.name() if inner is not None else given) or key
