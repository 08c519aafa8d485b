"""The order of sets, as upstream has it.

Two orders matter. Upstream hands a set to Swarm sorted by a hash of each element; Swarm compares
specs in order, so another order would restart every task at the next update. And the state lists
a set sorted by another key; the same order there keeps a refresh free of noise.
"""

from __future__ import annotations

import json
import zlib
from typing import Any, cast

from .schema import Attr, Block, tf_name


def in_hash_order(attr: Attr, values: list[Any]) -> list[Any]:
    """The elements of a set in the order in which upstream sends them."""
    return sorted(values, key=lambda value: str(_element_code(attr, value)))


def _element_code(attr: Attr, value: Any) -> int:
    if attr.block is not None:
        return _crc(_object(attr.block, value))
    return _crc(value if attr.plain_hash else f"{value};")


def _crc(text: str) -> int:
    return zlib.crc32(text.encode())


def _object(block: Block, value: dict[str, Any] | None) -> str:
    names = sorted((tf_name(key, attr), key, attr) for key, attr in block.items())
    return "".join(f"{name}:{_field(attr, (value or {}).get(key))}" for name, key, attr in names)


def _field(attr: Attr, value: Any) -> str:
    if value is None:
        value = attr.zero()
    match attr.kind:
        case "bool":
            text = "1" if value else "0"
        case "map":
            entries = cast("dict[str, Any]", value)
            text = "[" + "".join(f"{k}:{entries[k]};" for k in sorted(entries)) + "]"
        case "list" | "set":
            text = _collection(attr, value)
        case _:
            text = str(value)
    return text + ";"


def _collection(attr: Attr, value: Any) -> str:
    items = ([] if value is None else [value]) if attr.one else cast("list[Any]", value)
    if attr.kind == "set":
        items = in_hash_order(attr, items)
    if attr.block is not None:
        inner = "".join(f"<{_object(attr.block, item)}>;" for item in items)
    else:
        inner = "".join(f"{item};" for item in items)
    return f"{{{inner}}}" if attr.kind == "set" else f"({inner})"


def in_state_order(attr: Attr, values: list[Any]) -> list[Any]:
    """The elements of a set in the order in which the state lists them."""
    if attr.block is None:
        return sorted(values)
    block = attr.block
    return sorted(values, key=lambda value: _state_object(block, value).encode())


def _state_object(block: Block, value: dict[str, Any]) -> str:
    names = sorted((tf_name(key, attr), key, attr) for key, attr in block.items())
    return "<" + "".join(f"{_state_field(a, value.get(k))};" for _, k, a in names) + ">"


def _state_field(attr: Attr, value: Any) -> str:
    if attr.one:
        block = attr.block or {}
        return "[" + (f"{_state_object(block, value)};" if value is not None else "") + "]"
    if value is None:
        return "~"
    match attr.kind:
        case "bool":
            return "T" if value else "F"
        case "string":
            return _quoted(value)
        case "map":
            entries = cast("dict[str, Any]", value)
            inner = "".join(f"{_quoted(k)}:{_quoted(entries[k])};" for k in sorted(entries))
            return "{" + inner + "}"
        case "list" | "set":
            items = cast("list[Any]", value)
            items = in_state_order(attr, items) if attr.kind == "set" else items
            shown = (_state_object(attr.block, i) if attr.block else _quoted(i) for i in items)
            return "[" + "".join(f"{item};" for item in shown) + "]"
        case _:
            return str(value)


def _quoted(text: Any) -> str:
    return json.dumps(str(text), ensure_ascii=False)
