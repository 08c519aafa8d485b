"""Volumes, binds and tmpfs mounts of a service, and the volumes of the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from .collapse import collapse
from .model import Mount
from .names import NAMESPACE_LABEL, external_name
from .node import Node
from .units import parse_size

_PROPAGATIONS = ("rprivate", "private", "rshared", "shared", "rslave", "slave")
_HOW = "write name:/path, /path/on/the/phone:/path or the long form with type:"


@dataclass(frozen=True, kw_only=True)
class Volume:
    """A volume of the file. ``name`` is Swarm's name."""

    name: str
    external: bool = False
    driver: str | None = None
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    labels: Mapping[str, str] = field(default_factory=dict[str, str])


def volumes(entries: Mapping[str, Node], stack: str) -> dict[str, Volume]:
    """The file's volumes by key."""
    found: dict[str, Volume] = {}
    for key, entry in entries.items():
        fields = entry.fields({"name", "driver", "driver_opts", "external", "labels"})
        outside = external_name(key, fields)
        if outside is not None:
            for conflicting in ("driver", "driver_opts", "labels"):
                if conflicting in fields:
                    fields[conflicting].problem(
                        "has no meaning on an external volume; remove it, or external"
                    )
            found[key] = Volume(name=outside, external=True)
            continue
        found[key] = Volume(
            name=fields["name"].name() if "name" in fields else f"{stack}_{key}",
            driver=fields["driver"].text() if "driver" in fields else None,
            options=fields["driver_opts"].string_map() if "driver_opts" in fields else {},
            labels=(fields["labels"].string_map() if "labels" in fields else {})
            | {NAMESPACE_LABEL: stack},
        )
    return found


def mounts(nodes: Iterable[Node | None], known: Mapping[str, Volume]) -> tuple[Mount, ...]:
    """The mounts of one service, out of the list in each file, in the files' order.

    Where several files have the service, they are in the order of their targets, as the Docker
    CLI sends them.
    """

    def placed(node: Node) -> Iterator[tuple[Mount, Node]]:
        for item in node.items():
            mount = _long(item, known) if item.is_mapping else _short(item, known)
            if mount is not None:
                yield mount, item

    found = collapse(nodes, placed, key=lambda mount: mount.target, what="mount of a target")
    targets: set[str] = set()
    for mount, place in found:
        if mount.target in targets:
            place.problem("a second mount at the same target; remove one of the two")
        targets.add(mount.target)
    return tuple(mount for mount, _ in found)


def _short(node: Node, known: Mapping[str, Volume]) -> Mount | None:
    spec = node.text()
    parts = spec.split(":")
    if not spec or len(parts) > 3 or "" in parts:
        node.problem(f"{node.shown} is not a mount; {_HOW}")
        return None
    source = parts[0] if len(parts) > 1 else ""
    target = parts[1] if len(parts) > 1 else parts[0]
    # The Docker CLI takes one letter before a colon for a Windows drive.
    if len(source) == 1 and source.isalpha():
        node.problem(
            f"{node.shown}: docker stack deploy takes a name of one letter for a Windows drive; "
            "write a longer name"
        )
        return None
    read_only = no_copy = False
    propagation = None
    for option in parts[2].split(",") if len(parts) == 3 else []:
        if option in ("ro", "rw"):
            read_only = option == "ro"
        elif option == "nocopy":
            no_copy = True
        elif option in _PROPAGATIONS:
            propagation = option
        elif option in ("z", "Z", "cached", "delegated", "consistent"):
            node.report.warn(node.path, f"Swarm ignores the mount option {option}")
        else:
            node.problem(
                f"{node.shown} has an unknown option; write ro, rw, nocopy or one of "
                f"{', '.join(_PROPAGATIONS)}"
            )
    if source.startswith((".", "/", "~")):
        if no_copy:
            node.problem("nocopy has no meaning on a bind; remove it")
        return _bind(node, source, target, read_only=read_only, propagation=propagation)
    if propagation:
        node.problem(f"{propagation} has no meaning on a volume; remove it")
    return _volume(node, source, target, known, read_only=read_only, no_copy=no_copy)


def _long(node: Node, known: Mapping[str, Volume]) -> Mount | None:
    fields = node.fields(
        {"type", "source", "target", "read_only", "bind", "volume", "tmpfs"},
        ignored={"consistency"},
        refused={
            "cluster": "cluster volumes cannot be used through the docker provider; remove it",
            "image": "image mounts cannot be used through the docker provider; remove it",
        },
    )
    if "type" not in fields or "target" not in fields:
        missing = "type" if "type" not in fields else "target"
        node.problem(f"has no {missing}; write type: volume, bind or tmpfs, source: and target:")
        return None
    kind = fields["type"].choice("volume", "bind", "tmpfs")
    if fields["type"].value != kind:
        return None
    target = fields["target"].name()
    source = fields["source"].text() if "source" in fields else ""
    read_only = fields["read_only"].boolean() if "read_only" in fields else False
    for other in {"volume", "bind", "tmpfs"} - {kind}:
        if other in fields:
            fields[other].problem(f"has no meaning on a mount of type {kind}; remove it")
    options = fields.get(kind)
    if kind == "bind":
        ignored = {"create_host_path", "selinux", "recursive"}
        chosen = (
            options.fields({"propagation"}, ignored=ignored).get("propagation") if options else None
        )
        propagation = chosen.choice(*_PROPAGATIONS) if chosen else None
        return _bind(
            fields.get("source", node), source, target, read_only=read_only, propagation=propagation
        )
    if kind == "volume":
        refused = {"subpath": "cannot be set through the docker provider; mount the whole volume"}
        chosen = options.fields({"nocopy"}, refused=refused).get("nocopy") if options else None
        no_copy = chosen.boolean() if chosen else False
        return _volume(
            fields.get("source", node), source, target, known, read_only=read_only, no_copy=no_copy
        )
    if source:
        fields["source"].problem("has no meaning on a tmpfs; remove it")
    known_options = options.fields({"size", "mode"}) if options else {}
    return Mount(
        type="tmpfs",
        target=_absolute(fields["target"], target),
        read_only=read_only,
        tmpfs_size=size(known_options["size"]) if "size" in known_options else None,
        tmpfs_mode=known_options["mode"].integer(maximum=0o7777)
        if "mode" in known_options
        else None,
    )


def size(node: Node) -> int:
    """Bytes of a size written as a number or as text with a unit."""
    try:
        return parse_size(node.scalar())
    except ValueError as error:
        node.problem(f"{node.shown} is {error}")
        return 0


def _bind(
    node: Node, source: str, target: str, *, read_only: bool, propagation: str | None
) -> Mount | None:
    if not source.startswith("/"):
        node.problem(
            f"{node.shown}: a bind's source is a path on the phones, which have nothing of this "
            "directory; write an absolute path, or ship the file under configs or secrets"
        )
        return None
    return Mount(
        type="bind",
        source=source,
        target=_absolute(node, target),
        read_only=read_only,
        propagation=propagation,
    )


def _volume(
    node: Node,
    source: str,
    target: str,
    known: Mapping[str, Volume],
    *,
    read_only: bool,
    no_copy: bool,
) -> Mount | None:
    target = _absolute(node, target)
    if not source:
        return Mount(type="volume", target=target, read_only=read_only)
    volume = known.get(source)
    if volume is None:
        node.problem(
            f"{node.shown}: the file has no such volume; write it at the top level: volumes"
        )
        return None
    return Mount(
        type="volume",
        source=volume.name,
        target=target,
        read_only=read_only,
        volume_driver=volume.driver,
        volume_driver_options=volume.options,
        volume_labels=volume.labels,
        volume_no_copy=no_copy,
    )


def _absolute(node: Node, target: str) -> str:
    if not target.startswith("/"):
        node.problem(f"{node.shown}: the target must be an absolute path inside the container")
    return target
