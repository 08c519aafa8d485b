"""What a property of a resource is: the model that check, plan and diff walk."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["string", "int", "bool", "map", "list", "set"]
Validator = Callable[[Any], str | None]
Block = Mapping[str, "Attr"]


@dataclass(frozen=True, kw_only=True)
class Attr:
    """One property. `block` is set where its elements are objects, otherwise they are strings.

    `one`: a list of at most one object, which Pulumi shows as that object or null.
    `tf`: the upstream name where it is not just the snake case of Pulumi's.
    `plain_hash`: a set of strings that hashes the bare string (no terminator).
    `ratio`: a string that equals another one if both are the same number.
    `output`: the Engine alone sets it; it is no input.
    """

    kind: Kind
    required: bool = False
    computed: bool = False
    force_new: bool = False
    sensitive: bool = False
    default: str | int | bool | None = None
    block: Block | None = None
    one: bool = False
    tf: str = ""
    plain_hash: bool = False
    ratio: bool = False
    output: bool = False
    validate: Validator | None = None

    @property
    def scalar(self) -> bool:
        return self.kind in ("string", "int", "bool")

    @property
    def many(self) -> bool:
        """A list or set that Pulumi shows as an array."""
        return self.kind in ("list", "set") and not self.one

    def zero(self) -> Any:
        """What upstream's readers give for this property when nothing is stored."""
        if self.one:
            return None
        zeros: dict[Kind, Any] = {"string": "", "int": 0, "bool": False, "map": {}}
        return zeros.get(self.kind, [])

    def empty(self) -> Any:
        """What a plan shows for this property when the program says nothing of it."""
        return [] if self.block is not None and not self.one else None


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource type: its properties, and the version that its state carries."""

    token: str
    title: str
    attrs: Block
    schema_version: int = 0
    exactly_one_of: tuple[str, ...] = field(default=())


def tf_name(key: str, attr: Attr) -> str:
    """The upstream name of a property."""
    return attr.tf or snake(key)


def snake(key: str) -> str:
    """The other spelling of a name: `netWork` as `net_work`."""
    return re.sub(r"(?<!^)([A-Z])", r"_\1", key).lower()


def is_zero(value: Any) -> bool:
    """Null, empty, zero or false: upstream does not tell these apart when it compares."""
    return not value
