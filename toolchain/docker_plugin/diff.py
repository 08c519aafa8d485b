"""What an update changes, property by property, and whether that needs a new resource."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any, Literal, cast

from toolchain.plugin.properties import UNKNOWN, has_unknown

from . import paths
from .check import DEFAULTS
from .hashing import in_state_order
from .paths import Path
from .plan import Values, filled_object, plan, same_value
from .schema import Attr, Block, Resource, is_zero

Kind = Literal["ADD", "DELETE", "UPDATE"]


@dataclass(frozen=True, kw_only=True)
class Change:
    """What happens to one property, and whether only a new resource can have it so."""

    kind: Kind
    replace: bool = False


@dataclass(frozen=True, kw_only=True)
class Difference:
    """`details` by property path; `replaces`, `changed` and `stables` by top-level property."""

    changes: bool
    details: dict[str, Change] = field(default_factory=dict[str, Change])
    replaces: list[str] = field(default_factory=list[str])
    changed: list[str] = field(default_factory=list[str])
    stables: list[str] = field(default_factory=list[str])
    delete_before_replace: bool = False


def diff(resource: Resource, olds: Values, news: Values, ignore: Sequence[str] = ()) -> Difference:
    """Compares the state with a program's checked inputs; neither carries markers."""
    planned = plan(resource, olds, news, ignore)
    details: dict[Path, Change] = {}
    if planned is not olds:
        _object(resource.attrs, olds, planned, news, (), details)
    replaces = sorted({str(path[0]) for path, change in details.items() if change.replace})
    own_name = DEFAULTS in news and "name" in news and "name" not in news[DEFAULTS]
    return Difference(
        changes=planned is not olds,
        details={paths.show(path): change for path, change in details.items()},
        replaces=replaces,
        changed=sorted({str(path[0]) for path in details}),
        stables=sorted(k for k, a in resource.attrs.items() if a.force_new and k not in replaces),
        # Two resources of one name cannot live side by side.
        delete_before_replace=bool(replaces) and own_name,
    )


def _object(
    block: Block, old: Values, new: Values, inputs: Any, path: Path, out: dict[Path, Change]
) -> None:
    known = cast("Values", inputs) if isinstance(inputs, dict) else {}
    for key, attr in block.items():
        _attr(attr, old.get(key), new.get(key), known.get(key), (*path, key), out)


def _attr(attr: Attr, old: Any, new: Any, inputs: Any, path: Path, out: dict[Path, Change]) -> None:
    if not has_unknown(new) and same_value(attr, old, new):
        return
    if old in (None, []) or new in (None, []) or new == UNKNOWN:
        out[path] = _whole(attr, old or None, new or None)
    elif attr.one:
        _object(attr.block or {}, old, new, inputs, path, out)
    elif attr.scalar:
        out[path] = Change(kind="UPDATE", replace=attr.force_new)
    elif attr.kind == "map":
        _map(attr, old, new, path, out)
    elif attr.kind == "set":
        _set(attr, old, new, inputs, path, out)
    elif attr.block is not None:
        _list(attr.block, old, new, inputs, path, out)
    else:
        _strings(attr, old, new, path, out)


def _whole(attr: Attr, old: Any, new: Any) -> Change:
    kind: Kind = "ADD" if old is None else "DELETE" if new is None else "UPDATE"
    value = old if new is None or new == UNKNOWN else new
    return Change(kind=kind, replace=_forces(attr, value))


def _forces(attr: Attr, value: Any) -> bool:
    """Whether a value that appears or vanishes as a whole needs a new resource."""
    if attr.force_new:
        return True
    if attr.block is None or value is None or value == UNKNOWN:
        return False
    items = cast("list[Any]", value if isinstance(value, list) else [value])
    return any(_forces_object(attr.block, item) for item in items)


def _forces_object(block: Block, value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    values = cast("Values", value)
    return any(
        _forces(attr, values[key]) for key, attr in block.items() if values.get(key) is not None
    )


def _map(attr: Attr, old: Values, new: Values, path: Path, out: dict[Path, Change]) -> None:
    for key in sorted({*old, *new}):
        if old.get(key) == new.get(key):
            continue
        kind: Kind = "ADD" if key not in old else "DELETE" if key not in new else "UPDATE"
        out[(*path, key)] = Change(kind=kind, replace=attr.force_new)


def _list(
    block: Block, old: list[Any], new: list[Any], inputs: Any, path: Path, out: dict[Path, Change]
) -> None:
    given = cast("list[Any]", inputs) if isinstance(inputs, list) else []
    for i in range(max(len(old), len(new))):
        where = (*path, i)
        if i >= len(old) or i >= len(new) or new[i] == UNKNOWN:
            kind: Kind = "ADD" if i >= len(old) else "DELETE" if i >= len(new) else "UPDATE"
            value = new[i] if i < len(new) else old[i]
            out[where] = Change(kind=kind, replace=_forces_object(block, value))
        else:
            _object(block, old[i], new[i], given[i] if i < len(given) else None, where, out)


def _strings(
    attr: Attr, old: list[Any], new: list[Any], path: Path, out: dict[Path, Change]
) -> None:
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    removed: set[int] = set()
    added: set[int] = set()
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag != "equal":
            removed.update(range(i, j))
            added.update(range(k, m))
    for i in sorted(removed | added):
        kind: Kind = "UPDATE" if i in removed & added else "ADD" if i in added else "DELETE"
        out[(*path, i)] = Change(kind=kind, replace=attr.force_new)


def _set(
    attr: Attr, old: list[Any], new: list[Any], inputs: Any, path: Path, out: dict[Path, Change]
) -> None:
    element = Attr(kind="list", one=True, block=attr.block) if attr.block else Attr(kind="string")
    old, new = _ordered(attr, old), _ordered(attr, new)
    removed = [i for i, item in enumerate(old) if not _among(element, item, new)]
    added = [i for i, item in enumerate(new) if not _among(element, item, old)]
    places = _places(element, [new[i] for i in added], inputs)
    if places is None:
        # The inputs do not say where the new elements came from: only the set as a whole is shown.
        out[path] = Change(kind="UPDATE", replace=attr.force_new)
        return
    arrivals = dict(zip(places, (new[i] for i in added), strict=True))
    for i in sorted({*removed, *arrivals}):
        before, after = old[i] if i in removed else None, arrivals.get(i)
        where = (*path, i)
        if before is not None and after is not None and attr.block is not None:
            _object(attr.block, before, after, None, where, out)
            continue
        kind: Kind = "ADD" if before is None else "DELETE" if after is None else "UPDATE"
        gone = before if after is None else after
        forced = attr.force_new or _forces_object(attr.block or {}, gone)
        out[where] = Change(kind=kind, replace=forced)


def _ordered(attr: Attr, items: list[Any]) -> list[Any]:
    return items if has_unknown(items) else in_state_order(attr, items)


def _among(element: Attr, item: Any, others: list[Any]) -> bool:
    return any(same_value(element, item, other) for other in others)


def _places(element: Attr, arrivals: list[Any], inputs: Any) -> list[int] | None:
    """Where in the program's list each new element of a set stands."""
    given = cast("list[Any]", inputs) if isinstance(inputs, list) else []
    if element.block is not None:
        block = element.block
        given = [g if is_zero(g) or g == UNKNOWN else filled_object(block, g) for g in given]
    places: list[int] = []
    for item in arrivals:
        found = (
            i
            for i, g in enumerate(given)
            if i not in places and (g == item or same_value(element, item, g))
        )
        place = next(found, None)
        if place is None:
            return None
        places.append(place)
    return places
