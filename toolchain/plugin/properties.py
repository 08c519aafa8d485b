"""A resource's properties, as a plugin works with them: plain Python, secrets and unknowns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from google.protobuf import struct_pb2

# The markers of the engine's wire format.
_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"
_OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_UNKNOWN_STRING: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNKNOWNS: Final = frozenset(
    {
        _UNKNOWN_STRING,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)


@dataclass(frozen=True)
class Unknown:
    """A value that is known only once something else has been created."""


UNKNOWN: Final = Unknown()


@dataclass(frozen=True)
class Secret:
    """A value that the engine encrypts in the state and hides in its output."""

    value: Any = field(repr=False)


def public(value: Any) -> Any:
    """The value itself, with no secret marker at any depth."""
    match value:
        case Secret():
            return public(value.value)
        case dict():
            return {key: public(item) for key, item in value.items()}
        case list():
            return [public(item) for item in value]
        case _:
            return value


def has_unknown(value: Any) -> bool:
    """Whether anything in the value is unknown."""
    return _holds(value, Unknown)


def has_secret(value: Any) -> bool:
    """Whether the value, or anything in it, is secret."""
    return _holds(value, Secret)


def secret_texts(value: Any, *, inside: bool = False) -> Iterator[str]:
    """Every string that is secret, or part of something secret."""
    match value:
        case Secret():
            yield from secret_texts(value.value, inside=True)
        case dict():
            for item in value.values():
                yield from secret_texts(item, inside=inside)
        case list():
            for item in value:
                yield from secret_texts(item, inside=inside)
        case str() if inside:
            yield value
        case _:
            return


def decode(struct: struct_pb2.Struct, *, nulls: bool = False) -> dict[str, Any]:
    """Properties from the wire, whole numbers as `int`.

    Entries that are null are left out, as the official plugins do with a program's inputs, unless
    `nulls` asks for them.
    """
    values = {key: _decode(value, nulls) for key, value in struct.fields.items()}
    return {key: value for key, value in values.items() if nulls or public(value) is not None}


def encode(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """Properties for the wire."""
    return struct_pb2.Struct(fields={key: _encode(value) for key, value in values.items()})


def _holds(value: Any, marker: type[Unknown | Secret]) -> bool:
    match value:
        case Unknown() | Secret() if isinstance(value, marker):
            return True
        case Secret():
            return _holds(value.value, marker)
        case dict():
            return any(_holds(item, marker) for item in value.values())
        case list():
            return any(_holds(item, marker) for item in value)
        case _:
            return False


def _decode(value: struct_pb2.Value, nulls: bool) -> Any:
    match value.WhichOneof("kind"):
        case "struct_value":
            return _decode_struct(value.struct_value, nulls)
        case "list_value":
            return [_decode(item, nulls) for item in value.list_value.values]
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "string_value":
            return UNKNOWN if value.string_value in _UNKNOWNS else value.string_value
        case "bool_value":
            return value.bool_value
        case _:
            return None


def _decode_struct(struct: struct_pb2.Struct, nulls: bool) -> Any:
    signature = struct.fields.get(_SIGNATURE)
    if signature is None:
        return decode(struct, nulls=nulls)
    if signature.string_value == _SECRET:
        return Secret(_decode(struct.fields["value"], nulls))
    if signature.string_value == _OUTPUT:
        known = "value" in struct.fields
        value = _decode(struct.fields["value"], nulls) if known else UNKNOWN
        return Secret(value) if struct.fields["secret"].bool_value else value
    # Assets, archives and resources: passed on as they are.
    return {key: _decode(item, nulls) for key, item in struct.fields.items()}


def _encode(value: Any) -> struct_pb2.Value:
    match value:
        case Unknown():
            return struct_pb2.Value(string_value=_UNKNOWN_STRING)
        case Secret():
            return _encode({_SIGNATURE: _SECRET, "value": value.value})
        case None:
            return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
        case bool():
            return struct_pb2.Value(bool_value=value)
        case int() | float():
            return struct_pb2.Value(number_value=value)
        case str():
            return struct_pb2.Value(string_value=value)
        case dict():
            return struct_pb2.Value(struct_value=encode(value))
        case list():
            items = [_encode(item) for item in value]
            return struct_pb2.Value(list_value=struct_pb2.ListValue(values=items))
        case _:
            raise TypeError(f"not a property value: {type(value).__name__}")
