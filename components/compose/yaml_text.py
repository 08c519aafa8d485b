"""YAML as the Docker CLI reads it.

Docker's YAML library differs from PyYAML where compose files feel it: ``yes`` and ``on`` are
text, ``22:22`` is text and not a number to the base 60, a key given twice is an error, and a
number with a leading zero is octal.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any, TypeAlias, cast

import yaml

from .report import ComposeError, one_line

Scalar: TypeAlias = "bool | int | float | str | None"
Value: TypeAlias = "Scalar | list[Value] | dict[str, Value]"

# Aliases of aliases can make a small file huge ("billion laughs"): no honest stack comes near.
_MOST_VALUES = 100_000
_DEEPEST = 100
_TAG = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):
    pass


# Not PyYAML's own table, which knows dates and numbers to the base 60.
_Loader.yaml_implicit_resolvers = {}


_FORMS: dict[str, list[re.Pattern[str]]] = {}


def _resolve(kind: str, pattern: str, first: str) -> None:
    form = re.compile(rf"(?:{pattern})\Z")
    _FORMS.setdefault(kind, []).append(form)
    add = cast("Any", _Loader).add_implicit_resolver
    add(_TAG + kind, form, [*first, ""] if kind == "null" else [*first])


_DIGITS = "+-.0123456789"
_resolve("bool", "true|True|TRUE|false|False|FALSE", "tTfF")
_resolve("null", "~|null|Null|NULL|", "~nN")
_resolve("int", r"[-+]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO]?[0-7_]+|0|[1-9][0-9_]*)", _DIGITS)
_resolve("float", r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?", _DIGITS)
_resolve("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", _DIGITS)
_resolve("merge", "<<", "<")


def parse(text: str, *, source: str) -> dict[str, Value]:
    """The mapping that ``text`` holds; raises :class:`ComposeError` naming line and column."""

    def fail(what: str, mark: yaml.Mark | None = None) -> ComposeError:
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        return ComposeError((one_line(f"{source}: {where}{what}"),))

    try:
        root = yaml.compose(text, Loader=_Loader)
        if root is None:
            raise fail("the file is empty; write at least one service under services")
        value = _Builder().build(root)
    except yaml.MarkedYAMLError as error:
        what = error.problem or "it cannot be read"
        if what.startswith("but") and error.context:
            what = f"{error.context}, {what}"
        raise fail(f"not valid YAML: {what}", error.problem_mark) from None
    except yaml.YAMLError:
        raise fail("not valid YAML: it holds characters that YAML forbids") from None
    except RecursionError:
        raise fail("nested too deeply") from None
    if not isinstance(value, dict):
        raise fail("must be a mapping with services; write services: and the services below it")
    return value


class _Builder:
    def __init__(self) -> None:
        self._open: set[int] = set()
        self._count = 0

    def build(self, node: yaml.Node) -> Value:
        self._count += 1
        if len(self._open) > _DEEPEST:
            raise yaml.MarkedYAMLError(
                problem=f"nested more than {_DEEPEST} deep", problem_mark=node.start_mark
            )
        if self._count > _MOST_VALUES:
            raise yaml.MarkedYAMLError(
                problem=f"more than {_MOST_VALUES} values, counting what aliases repeat",
                problem_mark=node.start_mark,
            )
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        if node.tag not in (_TAG + "seq", _TAG + "map"):
            raise _unknown_tag(node)
        if id(node) in self._open:
            raise yaml.MarkedYAMLError(
                problem="an anchor contains itself", problem_mark=node.start_mark
            )
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self.build(item) for item in cast("list[yaml.Node]", node.value)]
            return self._mapping(cast("yaml.MappingNode", node))
        finally:
            self._open.remove(id(node))

    def _mapping(self, node: yaml.MappingNode) -> dict[str, Value]:
        own: dict[str, Value] = {}
        merged: dict[str, Value] = {}
        for key_node, value_node in cast("list[tuple[yaml.Node, yaml.Node]]", node.value):
            if key_node.tag == _TAG + "merge":
                for name, value in self._merge(value_node).items():
                    merged.setdefault(name, value)
                continue
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag != _TAG + "str":
                raise yaml.MarkedYAMLError(
                    problem="a key must be text; write it in quotes",
                    problem_mark=key_node.start_mark,
                )
            key = _whole(key_node)
            if key in own:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key} is given twice", problem_mark=key_node.start_mark
                )
            own[key] = self.build(value_node)
        return own | {name: value for name, value in merged.items() if name not in own}

    def _merge(self, node: yaml.Node) -> dict[str, Value]:
        value = self.build(node)
        parts = value if isinstance(value, list) else [value]
        merged: dict[str, Value] = {}
        for part in parts:
            if not isinstance(part, dict):
                raise yaml.MarkedYAMLError(
                    problem="<< takes a mapping or a list of mappings",
                    problem_mark=node.start_mark,
                )
            for name, item in part.items():
                merged.setdefault(name, item)
        return merged


def _unknown_tag(node: yaml.Node) -> yaml.YAMLError:
    return yaml.MarkedYAMLError(
        problem="a tag that compose files do not know; remove it", problem_mark=node.start_mark
    )


def _whole(node: yaml.ScalarNode) -> str:
    """The text of ``node``: an escape such as ``\\ud800`` stands for no character of its own."""
    text = cast("str", node.value)
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise yaml.MarkedYAMLError(
            problem="half a surrogate pair is no character; write the whole character",
            problem_mark=node.start_mark,
        )
    return text


def _scalar(node: yaml.ScalarNode) -> Scalar:
    text = _whole(node)
    kind = node.tag.removeprefix(_TAG)
    if kind not in (*_FORMS, "str"):
        raise _unknown_tag(node)
    # A tag written out (!!int) may stand before text that is no such thing.
    if kind in _FORMS and not any(form.match(text) for form in _FORMS[kind]):
        raise yaml.MarkedYAMLError(
            problem=f"the tag !!{kind} stands before something else", problem_mark=node.start_mark
        )
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int":
        return _integer(text)
    if kind == "float":
        return _float(text)
    return text


def _integer(text: str) -> int | float:
    digits = text.replace("_", "").lower()
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    base = 10
    for prefix, its_base in (("0x", 16), ("0b", 2), ("0o", 8), ("0", 8)):
        if digits.startswith(prefix) and len(digits) > len(prefix):
            digits, base = digits[len(prefix) :], its_base
            break
    # What does not fit into 64 bits is a floating-point number to Docker; the length is looked
    # at first because Python refuses to convert thousands of digits.
    number = int(digits, base) if len(digits) <= 64 else 2**64
    number *= sign
    return number if -(2**63) <= number < 2**64 else float(number)


def _float(text: str) -> float:
    plain = text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan")
    try:
        return float(plain)
    except ValueError:
        return math.inf


def go_text(value: Scalar) -> str:
    """``value`` as Docker writes a number, a truth value or nothing into a label or variable."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, float):
        return str(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    shortest = Decimal(repr(value)).normalize()
    power = shortest.adjusted()
    if not value or -4 <= power < 6:
        return f"{shortest:f}"
    digits = "".join(map(str, shortest.as_tuple().digits))
    mantissa = digits[0] + ("." + digits[1:] if digits[1:] else "")
    return f"{'-' if value < 0 else ''}{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"
