"""Secrets and configs: the file's own, and how a service sees them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from .collapse import collapse
from .environment import Read, read_bytes
from .model import Content, FileReference
from .names import NAMESPACE_LABEL, check_content_name, external_name
from .node import Node

Kind = Literal["secret", "config"]

# An entry that is external to docker stack deploy, which knows no secrets from variables, and
# that cloudlet makes from the variable named here.
FROM_VARIABLE = "x-cloudlet-environment"

_SOURCES = ("file", "environment", "content", FROM_VARIABLE)
_LARGEST = {"secret": 500 * 1024, "config": 1000 * 1024}


def contents(
    entries: Mapping[str, Node], kind: Kind, stack: str, variables: Mapping[str, str], read: Read
) -> dict[str, Content]:
    """The file's secrets or configs by key. Docker makes all of them, used or not."""
    return {
        key: _content(key, entry, kind=kind, stack=stack, variables=variables, read=read)
        for key, entry in entries.items()
    }


def _content(
    key: str, node: Node, *, kind: Kind, stack: str, variables: Mapping[str, str], read: Read
) -> Content:
    no_driver = f"a {kind}'s driver cannot be set through the docker provider; remove it"
    refused = {"driver": no_driver, "driver_opts": no_driver, "template_driver": no_driver}
    known = {"name", "external", "labels", *_SOURCES}
    if kind == "secret":
        known -= {"content"}
        refused["content"] = (
            "a secret does not belong into the file; write environment: NAME and put NAME under "
            "cloudlet:secrets"
        )
    fields = node.fields(known, refused=refused)
    given = [source for source in _SOURCES if source in fields]
    outside = None if FROM_VARIABLE in fields else external_name(key, fields)
    if outside is not None:
        for source in given:
            fields[source].problem(f"has no meaning on an external {kind}; remove it, or external")
        return Content(name=outside, external=True)
    name = fields["name"].name() if "name" in fields else f"{stack}_{key}"
    check_content_name(fields.get("name", node), name)
    data = b""
    if len(given) == 1:
        place = fields[given[0]]
        data = _data(place, given[0], variables, read)
        if data is not None and not 0 < len(data) <= _LARGEST[kind]:
            what = "empty" if not data else f"larger than {_LARGEST[kind]} bytes"
            place.problem(f"the {kind} is {what}, which Swarm refuses; give it other content")
    elif not any(key in node.entries() for key in refused):
        chooseable = "file, environment" + (", content" if kind == "config" else "")
        what = "has no content" if not given else "has several contents"
        node.report.problem(node.path, f"{what}; write one of {chooseable} or external: true")
    return Content(
        name=name,
        data=data,
        labels=(fields["labels"].string_map() if "labels" in fields else {})
        | {NAMESPACE_LABEL: stack},
        pinned_name="name" in fields,
    )


def _data(node: Node, source: str, variables: Mapping[str, str], read: Read) -> bytes | None:
    if source == "content":
        return node.text().encode()
    if source == "file":
        return read_bytes(node.text(), read, node) if node.name().strip() else None
    value = variables.get(node.name())
    if value is None:
        node.problem(
            f"variable {node.shown} is not defined; write it under cloudlet:secrets or the "
            "stack's variables"
        )
        return None
    return value.encode()


def references(
    nodes: Iterable[Node | None], kind: Kind, known: Mapping[str, Content]
) -> tuple[FileReference, ...]:
    """What one service sees, in the order of Swarm's names as the Docker CLI sends them.

    ``nodes`` has the list of each file.
    """

    def placed(node: Node) -> Iterator[tuple[FileReference, Node]]:
        for item in node.items():
            reference = _reference(item, kind, known)
            if reference is not None:
                yield reference, item

    found = collapse(
        nodes, placed, key=lambda reference: reference.source, what=f"reference to a {kind}"
    )
    targets: set[str] = set()
    for reference, place in found:
        if reference.target in targets:
            place.problem(f"a second {kind} at the same target; write another target")
        targets.add(reference.target)
    return tuple(
        sorted(
            (reference for reference, _ in found),
            key=lambda reference: known[reference.source].name,
        )
    )


def _reference(node: Node, kind: Kind, known: Mapping[str, Content]) -> FileReference | None:
    fields = (
        node.fields({"source", "target", "uid", "gid", "mode"})
        if node.is_mapping
        else {"source": node}
    )
    if "source" not in fields:
        node.problem(f"has no source; write source: and the {kind}'s name")
        return None
    source = fields["source"].text()
    if source not in known:
        if source:
            fields["source"].problem(
                f"{fields['source'].shown}: the file has no such {kind}; write it at the top "
                f"level: {kind}s"
            )
        return None
    return FileReference(
        source=source,
        target=fields["target"].name() if "target" in fields else source,
        uid=fields["uid"].scalar() if "uid" in fields else "0",
        gid=fields["gid"].scalar() if "gid" in fields else "0",
        mode=_mode(fields["mode"]) if "mode" in fields else 0o444,
    )


def _mode(node: Node) -> int:
    # The Docker CLI reads "0444" in quotes as a decimal number, which is surely not meant.
    if isinstance(node.value, str) and node.value.startswith("0") and node.value != "0":
        node.problem("Docker reads a mode in quotes as a decimal number; write 0444 without quotes")
        return 0
    return node.integer(maximum=0o7777)
