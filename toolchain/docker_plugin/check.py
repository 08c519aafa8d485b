"""A program's inputs as the official plugin keeps them: types, defaults, and what is wrong."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from typing import Any, Final, cast

from toolchain.plugin.properties import UNKNOWN, Secret, has_unknown

from .paths import Path, show
from .schema import Attr, Block, Resource, is_zero

DEFAULTS: Final = "__defaults"
_RESERVED: Final = frozenset({DEFAULTS, "__meta", "__pulumi_raw_state_delta"})
_NAME_LENGTH: Final = 255


@dataclass(frozen=True, kw_only=True)
class Naming:
    """How a resource without a name gets one.

    `mode` and `proposed` are the engine's: "" leaves the name to the plugin, as does "propose"
    except that `proposed` is taken; "enforce" prescribes it, "disable" forbids it.
    """

    resource: str
    seed: bytes = b""
    mode: str = ""
    proposed: str = ""


@dataclass(kw_only=True)
class Checked:
    """`inputs` for the state, and the failures: pairs of property path and reason."""

    inputs: dict[str, Any] = field(default_factory=dict[str, Any])
    failures: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])


def check(
    resource: Resource, news: dict[str, Any], olds: dict[str, Any], naming: Naming
) -> Checked:
    """Checks inputs that carry no markers. Sensitive ones come back marked as secret."""
    result = Checked()
    result.inputs = _object(resource.attrs, news, (), result.failures)
    _name(result, olds, naming)
    if resource.exactly_one_of:
        given = [key for key in resource.exactly_one_of if key in news]
        if len(given) != 1:
            allowed = " and ".join(resource.exactly_one_of)
            result.failures.append((resource.exactly_one_of[0], f"give exactly one of {allowed}"))
    if resource.title == "service":
        _conflicts(result)
    result.inputs = mark_secrets(resource.attrs, result.inputs)
    return result


def mark_secrets(attrs: Block, values: dict[str, Any]) -> dict[str, Any]:
    """The same values, those that the schema calls sensitive marked as secret."""
    marked: dict[str, Any] = {}
    for key, value in values.items():
        attr = attrs.get(key)
        if attr is None or value is None:
            marked[key] = value
        elif attr.sensitive:
            marked[key] = Secret(value)
        elif attr.block is not None and isinstance(value, dict):
            marked[key] = mark_secrets(attr.block, cast("dict[str, Any]", value))
        else:
            marked[key] = value
    return marked


def _name(result: Checked, olds: dict[str, Any], naming: Naming) -> None:
    inputs = result.inputs
    if "name" in inputs:
        return
    result.failures[:] = [failure for failure in result.failures if failure[0] != "name"]
    if "name" in olds and "name" in olds.get(DEFAULTS, ["name"]):
        inputs["name"] = olds["name"]
    elif naming.mode == "disable":
        result.failures.append(("name", "automatic naming is disabled, so a name must be given"))
        return
    elif naming.mode in ("enforce", "propose"):
        inputs["name"] = naming.proposed
    else:
        suffix = hashlib.sha256(naming.seed or os.urandom(32)).hexdigest()[:7]
        inputs["name"] = f"{naming.resource[: _NAME_LENGTH - 8]}-{suffix}"
    inputs[DEFAULTS] = sorted([*inputs[DEFAULTS], "name"])


def _conflicts(result: Checked) -> None:
    mode = result.inputs.get("mode")
    if not isinstance(mode, dict) or cast("dict[str, Any]", mode).get("global") is not True:
        return
    if "replicated" in mode:
        result.failures.append(("mode.global", "a service is either global or replicated"))
    if "convergeConfig" in result.inputs:
        result.failures.append(("convergeConfig", "does not go with a global service"))


def _object(
    attrs: Block, values: dict[str, Any], path: Path, failures: list[tuple[str, str]]
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    defaults: list[str] = []
    for key, value in values.items():
        if key in _RESERVED:
            continue
        attr = attrs.get(key)
        if attr is None or attr.output:
            known = ", ".join(k for k, a in attrs.items() if not a.output)
            failures.append((show((*path, key)), f"unknown property; known are {known}"))
            continue
        result[key] = _value(attr, value, (*path, key), failures)
    for key, attr in attrs.items():
        if key in result:
            continue
        if attr.required:
            failures.append((show((*path, key)), "is missing"))
        # A false, zero or empty default stays out of the inputs; a plan knows it anyway.
        if not is_zero(attr.default):
            result[key] = attr.default
            defaults.append(key)
    result[DEFAULTS] = sorted(defaults)
    return result


def _value(attr: Attr, value: Any, path: Path, failures: list[tuple[str, str]]) -> Any:
    if value == UNKNOWN:
        return UNKNOWN
    if attr.scalar:
        return _scalar(attr, value, path, failures)
    if attr.kind == "map":
        if not isinstance(value, dict):
            return _wrong("a map", path, failures)
        text = Attr(kind="string")
        entries = cast("dict[str, Any]", value)
        return {k: _scalar(text, v, (*path, k), failures) for k, v in entries.items()}
    if attr.one:
        return _single(attr, value, path, failures)
    items = cast("list[Any]", value if isinstance(value, list) else [value])
    element = Attr(kind="list", one=True, block=attr.block) if attr.block else Attr(kind="string")
    return [_value(element, item, (*path, i), failures) for i, item in enumerate(items)]


def _single(attr: Attr, value: Any, path: Path, failures: list[tuple[str, str]]) -> Any:
    if isinstance(value, list):
        items = cast("list[Any]", value)
        if len(items) > 1:
            return _wrong("one object", path, failures)
        value = items[0] if items else None
    if value is None or value == UNKNOWN:
        return value
    if not isinstance(value, dict) or attr.block is None:
        return _wrong("an object", path, failures)
    return _object(attr.block, cast("dict[str, Any]", value), path, failures)


def _scalar(attr: Attr, value: Any, path: Path, failures: list[tuple[str, str]]) -> Any:
    if value == UNKNOWN:
        return UNKNOWN
    if isinstance(value, dict | list) or value is None:
        return _wrong(
            {"int": "a number", "bool": "a boolean"}.get(attr.kind, "a string"), path, failures
        )
    match attr.kind:
        case "string":
            result = _text(value)
        case "int":
            if isinstance(value, str) and not value.removeprefix("-").isdecimal():
                return _wrong("a whole number", path, failures)
            result = int(value)
        case _:
            if not isinstance(value, bool) and value not in ("true", "false"):
                return _wrong("true or false", path, failures)
            result = value in (True, "true")
    if attr.validate and not has_unknown(result):
        reason = attr.validate(result)
        if reason:
            failures.append((show(path), reason))
    return result


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else f"{value}"


def _wrong(expected: str, path: Path, failures: list[tuple[str, str]]) -> None:
    failures.append((show(path), f"expected {expected}"))
