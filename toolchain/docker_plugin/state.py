"""The state of a resource as the official plugin stores it, bookkeeping included."""

from __future__ import annotations

import json
from typing import Any, Final, cast

from toolchain.plugin.properties import UNKNOWN, has_unknown

from .check import DEFAULTS, mark_secrets
from .hashing import in_state_order
from .plan import Values
from .schema import Attr, Block, Resource, is_zero, snake, tf_name

_META: Final = "__meta"
_DELTA: Final = "__pulumi_raw_state_delta"


def stored(resource: Resource, values: Values) -> Values:
    """Outputs to hand to the engine: sets in their order, sensitive values marked as secret."""
    result = _ordered(resource.attrs, values)
    result["id"] = values.get("id")
    if has_unknown(result):
        return mark_secrets(resource.attrs, result)
    if resource.schema_version:
        version = str(resource.schema_version)
        result[_META] = json.dumps({"schema_version": version}, separators=(",", ":"))
    delta = _object_delta(resource.attrs, result)
    return mark_secrets(resource.attrs, result) | {_DELTA: delta}


def _ordered(block: Block, values: Values) -> Values:
    return {key: _order(attr, values.get(key)) for key, attr in block.items()}


def _order(attr: Attr, value: Any) -> Any:
    if is_zero(value) or value == UNKNOWN or attr.scalar or attr.kind == "map":
        return value
    if attr.one:
        return _ordered(attr.block or {}, value)
    items = cast("list[Any]", value)
    if attr.block is not None:
        items = [i if i == UNKNOWN else _ordered(attr.block, i) for i in items]
    return items if attr.kind == "list" or has_unknown(items) else in_state_order(attr, items)


# The official plugin notes with each state how to get from it to upstream's raw state: where a
# list of one is shown as its element ("plu"), what is a map, and which names are not just the
# other spelling. It stores the note under `_DELTA` and reads the state by it.


def _object_delta(block: Block, values: Values) -> dict[str, Any]:
    inner: dict[str, Any] = {}
    renamed: dict[str, str] = {}
    for key, attr in block.items():
        delta = _delta(attr, values.get(key))
        if delta:
            inner[key] = delta
        if tf_name(key, attr) != snake(key):
            renamed[key] = attr.tf
    body: dict[str, Any] = {}
    if inner:
        body["ps"] = inner
    if renamed:
        body["renamed"] = renamed
    return {"obj": body}


def _delta(attr: Attr, value: Any) -> dict[str, Any]:
    if attr.one:
        return {"plu": {"i": {} if value is None else _object_delta(attr.block or {}, value)}}
    if value is None or attr.scalar:
        return {}
    if attr.kind == "map":
        return {"map": {}}
    if attr.block is None or not value:
        return {"arr": {}}
    items = cast("list[Values]", value)
    return {"arr": {"el": {str(i): _object_delta(attr.block, v) for i, v in enumerate(items)}}}


def found(block: Block, values: Values) -> Values:
    """A nested object as upstream's SDK keeps it after reading: empty if nothing was set in it,
    otherwise whole, with the zero of its kind for whatever was not set."""
    if not values:
        return dict.fromkeys(block)
    result: Values = {}
    for key, attr in block.items():
        value = values.get(key)
        if value is None:
            result[key] = attr.zero()
        elif attr.block is None:
            result[key] = value
        elif attr.one:
            result[key] = found(attr.block, value)
        else:
            result[key] = [found(attr.block, item) for item in value]
    return result


def refreshed_inputs(resource: Resource, inputs: Values, outputs: Values) -> Values:
    """A program's inputs with what was found instead; only what the program gave is kept."""
    result, _ = _extract(resource.attrs, inputs, outputs)
    return _without_empty_defaults(result)


def _extract(block: Block | None, inputs: Values, outputs: Values) -> tuple[Values, bool]:
    result: Values = {}
    unchanged = True
    defaults: list[str] = list(inputs.get(DEFAULTS, []))
    for key, old in inputs.items():
        if key == DEFAULTS or key not in outputs:
            continue
        attr = block.get(key) if block else None
        result[key], kept = _extract_value(attr, old, outputs[key])
        if not kept:
            unchanged = False
            defaults = [name for name in defaults if name != key]
    if DEFAULTS in inputs:
        result[DEFAULTS] = sorted(defaults)
        return result, False
    return result, unchanged


def _extract_value(attr: Attr | None, old: Any, new: Any) -> tuple[Any, bool]:
    block = attr.block if attr else None
    if isinstance(old, dict) and isinstance(new, dict):
        return _extract(block, cast("Values", old), cast("Values", new))
    if isinstance(old, list) and isinstance(new, list):
        return _extract_items(attr, cast("list[Any]", old), cast("list[Any]", new))
    return new, old == new


def _extract_items(attr: Attr | None, old: list[Any], new: list[Any]) -> tuple[Any, bool]:
    element = Attr(kind="list", one=True, block=attr.block) if attr and attr.block else None
    matched = attr is not None and attr.kind == "set" and attr.block is not None
    places = _best_matches(old, new) if matched else {i: i for i in range(len(new))}
    pairs = [(item, new[places[i]]) for i, item in enumerate(old) if i in places]
    extracted = [_extract_value(element, o, n) for o, n in pairs]
    kept = len(pairs) == len(old) and all(same for _, same in extracted)
    return [value for value, _ in extracted], kept


def _best_matches(old: list[Values], new: list[Values]) -> dict[int, int]:
    """Pairs the elements of two sets by what they share, the closest first."""
    scores = [
        (-sum(1 + 2 * (value == n[key]) for key, value in o.items() if key in n), i, j)
        for i, o in enumerate(old)
        for j, n in enumerate(new)
    ]
    places: dict[int, int] = {}
    for _, i, j in sorted(scores):
        if i not in places and j not in places.values():
            places[i] = j
    return places


def _without_empty_defaults(value: Any) -> Any:
    if isinstance(value, dict):
        items = cast("Values", value).items()
        return {k: _without_empty_defaults(v) for k, v in items if k != DEFAULTS or v}
    if isinstance(value, list):
        return [_without_empty_defaults(item) for item in cast("list[Any]", value)]
    return value


def imported_inputs(block: Block, outputs: Values) -> Values:
    """The inputs that would have made these outputs: whatever differs from the default."""
    result: Values = {}
    for key, attr in block.items():
        value = outputs.get(key)
        if attr.output or (not attr.required and (is_zero(value) or value == attr.default)):
            continue
        result[key] = _imported(attr, value)
    return {**result, DEFAULTS: []}


def _imported(attr: Attr, value: Any) -> Any:
    if attr.block is None or is_zero(value):
        return value
    if attr.one:
        return imported_inputs(attr.block, value)
    block = attr.block
    return [imported_inputs(block, item) for item in value]


def marked_like(resource: Resource, inputs: Values) -> Values:
    """Inputs read back, those that the schema calls sensitive marked as secret."""
    return mark_secrets(resource.attrs, inputs)
