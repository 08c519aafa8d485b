"""Values on the wire: protobuf structs to plain Python and back, with unknowns and secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from google.protobuf import struct_pb2

# The engine's own markers (pulumi/sdk, resource/plugin/rpc.go).
_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"
_OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNKNOWNS: Final = frozenset(
    {
        UNKNOWN,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)


def secret(value: Any) -> dict[str, Any]:
    """Marks a value as secret for the engine, which then encrypts it in the state."""
    return {_SIGNATURE: _SECRET, "value": value}


def is_secret(value: Any) -> bool:
    """Whether the value, or anything in it, still carries the engine's secret marker."""
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value)
        return items.get(_SIGNATURE) == _SECRET or any(is_secret(v) for v in items.values())
    if isinstance(value, list):
        return any(is_secret(v) for v in cast("list[Any]", value))
    return False


def contains_unknown(value: Any) -> bool:
    """Whether the value, or anything in it, is known only after the update."""
    if isinstance(value, dict):
        return any(contains_unknown(v) for v in cast("dict[str, Any]", value).values())
    if isinstance(value, list):
        return any(contains_unknown(v) for v in cast("list[Any]", value))
    return value == UNKNOWN


def reveal(value: Any) -> Any:
    """The value without secret and output markers, unknowns in one spelling."""
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value)
        kind = items.get(_SIGNATURE)
        if kind == _SECRET:
            return reveal(items.get("value"))
        if kind == _OUTPUT:
            return reveal(items["value"]) if "value" in items else UNKNOWN
        return {k: reveal(v) for k, v in items.items()}
    if isinstance(value, list):
        return [reveal(v) for v in cast("list[Any]", value)]
    if isinstance(value, str) and value in _UNKNOWNS:
        return UNKNOWN
    return value


def without_nulls(value: Any) -> Any:
    """Drops map entries that are null, as the official plugin does with a program's inputs."""
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value)
        return {k: without_nulls(v) for k, v in items.items() if v is not None}
    if isinstance(value, list):
        return [without_nulls(v) for v in cast("list[Any]", value)]
    return value


def from_struct(struct: struct_pb2.Struct) -> dict[str, Any]:
    """A struct as plain Python; whole numbers become int, markers stay."""
    return {key: _from_value(value) for key, value in struct.fields.items()}


def _from_value(value: struct_pb2.Value) -> Any:
    match value.WhichOneof("kind"):
        case "struct_value":
            return from_struct(value.struct_value)
        case "list_value":
            return [_from_value(v) for v in value.list_value.values]
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case _:
            return None


def to_struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """The inverse of `from_struct`; nulls are kept."""
    struct = struct_pb2.Struct()
    for key, value in values.items():
        struct.fields[key].CopyFrom(_to_value(value))
    return struct


def _to_value(value: Any) -> struct_pb2.Value:
    if value is None:
        return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, int | float):
        return struct_pb2.Value(number_value=value)
    if isinstance(value, str):
        return struct_pb2.Value(string_value=value)
    if isinstance(value, Mapping):
        return struct_pb2.Value(struct_value=to_struct(cast("Mapping[str, Any]", value)))
    items = [_to_value(v) for v in cast("list[Any]", value)]
    return struct_pb2.Value(list_value=struct_pb2.ListValue(values=items))
