"""What a resource will look like after an update, by the rules of upstream's SDK.

A property that the program does not mention keeps what it has if the Engine may compute it, takes
its default if it has one, and is emptied otherwise. Null, empty, zero and false count as equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from toolchain.plugin.properties import UNKNOWN, has_unknown

from . import paths
from .schema import Attr, Block, Resource, is_zero

Values = dict[str, Any]


def plan(
    resource: Resource, prior: Values | None, config: Values, ignore: Sequence[str] = ()
) -> Values:
    """The planned state. `prior` is None for a new resource; unknown values are `UNKNOWN`.

    Without any change the prior state itself comes back.
    """
    planned = _object(resource.attrs, prior or {}, config, create=prior is None)
    for path in ignore:
        planned = paths.keep(prior or {}, planned, paths.parse(path))
    if prior is not None and _same_object(resource.attrs, prior, planned):
        return prior
    planned["id"] = UNKNOWN if prior is None else prior.get("id")
    return planned


def _object(attrs: Block, prior: Values, config: Values, *, create: bool) -> Values:
    return {
        key: _value(attr, prior.get(key), config.get(key), create=create)
        for key, attr in attrs.items()
    }


def _value(attr: Attr, prior: Any, config: Any, *, create: bool) -> Any:
    if config == UNKNOWN:
        return UNKNOWN
    # An empty block is the same as none to upstream, an empty list of strings is not.
    absent = config is None or (config == [] and attr.block is not None)
    if absent and attr.computed:
        return UNKNOWN if create else prior
    if absent and attr.default is not None:
        config = attr.default
    elif absent:
        return prior if not create and is_zero(prior) and prior is not None else attr.empty()
    if same_value(attr, prior, config) and prior is not None:
        return prior
    if attr.kind == "map" and has_unknown(config):
        return UNKNOWN
    if attr.block is None:
        return config
    if attr.one:
        inner = cast("Values", prior) if isinstance(prior, dict) else {}
        return _object(attr.block, inner, cast("Values", config), create=create)
    items = cast("list[Any]", config)
    if attr.kind == "set":
        return [_element(attr.block, prior, item) for item in items]
    return _list(attr.block, prior, items, create=create)


def _list(block: Block, prior: Any, config: list[Any], *, create: bool) -> list[Any]:
    olds = cast("list[Any]", prior) if isinstance(prior, list) else []
    return [
        item
        if item == UNKNOWN
        else _object(block, olds[i] if i < len(olds) else {}, item, create=create)
        for i, item in enumerate(config)
    ]


def _element(block: Block, prior: Any, config: Any) -> Any:
    """One element of a set: whole, because a set has no place to keep an old value."""
    if config == UNKNOWN:
        return config
    filled = filled_object(block, config)
    olds = cast("list[Any]", prior) if isinstance(prior, list) else []
    return next((old for old in olds if _same_object(block, old, filled)), filled)


def filled_object(block: Block, values: Values) -> Values:
    """The values with defaults, and what is then missing as upstream's planned sets have it."""
    return {key: _filled(attr, values.get(key)) for key, attr in block.items()}


def _filled(attr: Attr, value: Any) -> Any:
    if value is None and attr.default is not None:
        return attr.default
    if value is None:
        return None if attr.kind in ("int", "bool", "map") else attr.zero()
    if value == UNKNOWN or attr.block is None:
        return value
    if attr.one:
        return filled_object(attr.block, value)
    return [v if v == UNKNOWN else filled_object(attr.block, v) for v in value]


def same_value(attr: Attr, old: Any, new: Any) -> bool:
    """Whether the SDK sees no difference between two values of a property."""
    if has_unknown(new) or has_unknown(old):
        return False
    if is_zero(old) or is_zero(new):
        return is_zero(old) and is_zero(new)
    if attr.ratio:
        return float(old) == float(new)
    if attr.kind == "map" or attr.scalar:
        return old == new
    if attr.one:
        return _same_object(attr.block or {}, old, new)
    return _same_items(attr, old, new)


def _same_items(attr: Attr, old: list[Any], new: list[Any]) -> bool:
    if len(old) != len(new):
        return False
    if attr.kind == "list":
        return all(_same_item(attr, o, n) for o, n in zip(old, new, strict=True))
    return all(any(_same_item(attr, o, n) for o in old) for n in new) and all(
        any(_same_item(attr, o, n) for n in new) for o in old
    )


def _same_item(attr: Attr, old: Any, new: Any) -> bool:
    return old == new if attr.block is None else _same_object(attr.block, old, new)


def _same_object(block: Block, old: Values, new: Values) -> bool:
    return all(same_value(attr, old.get(key), new.get(key)) for key, attr in block.items())


def settle(resource: Resource, read: Values, planned: Values, *, applied: bool) -> Values:
    """What upstream's SDK stores after reading back, given what it planned (or had stored).

    After an update (`applied`) a known set stays as planned, and an absent collection is not told
    from an empty one; a plain refresh takes what was read.
    """
    result = _settle_object(resource.attrs, read, planned, applied)
    result["id"] = read["id"]
    return result


def _settle_object(block: Block, read: Values, planned: Values, applied: bool) -> Values:
    return {
        key: _settle(attr, read.get(key), planned.get(key), applied) for key, attr in block.items()
    }


def _settle(attr: Attr, read: Any, planned: Any, applied: bool) -> Any:
    if planned == UNKNOWN:
        return read
    collection = not attr.scalar and not attr.one
    if collection and applied and is_zero(read) and is_zero(planned):
        return planned
    if planned is None:
        return read
    if attr.kind == "set":
        return planned if applied and not has_unknown(planned) else read
    if attr.kind == "string":
        return planned if read is None and planned == "" else read
    if attr.block is None or read is None:
        return read
    if attr.one:
        return _settle_object(attr.block, read, planned, applied)
    if len(read) != len(planned):
        return read
    block = attr.block
    return [_settle_object(block, r, p, applied) for r, p in zip(read, planned, strict=True)]
