"""The Compose specification's own schema, for whatever the readers let pass.

The readers know what Swarm makes of a file and say so better; the schema knows every form that
the specification allows. It comes as a data file of this package (see ``schema/README.md``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from .filling import Text
from .keys import SERVICE_IGNORED
from .node import Node, one_of, unknown_key
from .report import join
from .sections import Part
from .yaml_text import Value

FILE = resources.files("components.compose") / "schema" / "compose-spec.json"

_KINDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "a mapping",
    "string": "text",
}
# The Docker CLI has this key, which the specification calls cgroup.
_DOCKERS_OWN = ("cgroupns_mode",)


def schema() -> dict[str, Any]:
    """The schema as the specification publishes it."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def check(parts: Sequence[Part]) -> None:
    """Note a problem where a file breaks the specification and nothing is said about it yet."""
    for part in parts:
        document = {section: node.value for section, node in part.items()}
        for error in cast("Any", _validator()).iter_errors(document):
            for cause in _causes(error):
                _tell(cause, part)


@cache
def _validator() -> Draft202012Validator:
    published = schema()
    definitions = published["$defs"]
    # What the schema spreads over three definitions, in one: a mistake in one of them would
    # otherwise make each key of the others an unknown one.
    parents = [definitions[name] for name in ("container_spec", "workload_spec", "service")]
    properties = {key: value for each in parents for key, value in each["properties"].items()}
    # Swarm does nothing with these, so no form of theirs is wrong.
    properties |= {key: {} for key in (*SERVICE_IGNORED, *_DOCKERS_OWN)}
    definitions["service"] = {
        "type": ["object", "null"],
        "properties": properties,
        "patternProperties": {"^x-": {}},
        "additionalProperties": False,
    }
    return Draft202012Validator(published)


def _causes(error: ValidationError) -> Iterator[ValidationError]:
    """What is wrong in the one form that was meant, where the schema has a choice of forms."""
    forms: dict[object, list[ValidationError]] = {}
    for each in error.context or ():
        forms.setdefault(each.relative_schema_path[0], []).append(each)
    meant = [found for found in forms.values() if not any(map(_of_another_kind, found))]
    if not meant:
        yield error
        return
    for each in meant[0]:
        yield from _causes(each)


def _of_another_kind(error: ValidationError) -> bool:
    return error.validator == "type" and not error.relative_path


def _tell(error: ValidationError, part: Part) -> None:
    section, *rest = (str(step) if isinstance(step, str) else step for step in error.absolute_path)
    path = str(section)
    for step in rest:
        path = f"{path}[{step}]" if isinstance(step, int) else join(path, step)
    report = part[str(section)].report
    value = cast("Value", error.instance)
    # A key without a value is one that is not set.
    if value is None or _undefined(value):
        return
    node = Node(value=value, path=path, report=report)
    for place, text in _texts(error, node):
        if not report.complained(place):
            report.problem(place, text)


def _undefined(value: Value) -> bool:
    """Whether a variable is missing there, which is the real mistake and was told."""
    items = value if isinstance(value, list) else [value]
    return any(isinstance(item, Text) and item.broken for item in items)


def _texts(error: ValidationError, node: Node) -> Iterator[tuple[str, str]]:
    """Each place that is wrong, and what to write; no text holds what a variable put in."""
    wanted = cast("Any", error.validator_value)
    match error.validator:
        case "type" | "oneOf":
            yield node.path, _kind(error, node)
        case "additionalProperties":
            yield from _unknown(cast("Mapping[str, Any]", error.schema), node)
        case "enum":
            yield node.path, f"{node.shown} is unknown; write {one_of(wanted)}"
        case "required":
            missing = [key for key in wanted if key not in node.entries()]
            yield node.path, f"has no {one_of(missing)}; write {missing[0]}: and its value"
        case "uniqueItems":
            yield node.path, "has the same item twice; remove one of them"
        case "minimum":
            yield node.path, f"{node.shown} is out of range; write a number from {wanted}"
        case _:
            yield (
                node.path,
                f"{node.shown} is nothing that the Compose specification allows here; correct it",
            )


def _kind(error: ValidationError, node: Node) -> str:
    wanted: list[str] = []
    for each in error.context or [error]:
        if each.validator == "type":
            kinds = cast("str | list[str]", each.validator_value)
            wanted += [kinds] if isinstance(kinds, str) else kinds
    named = list(dict.fromkeys(_KINDS[kind] for kind in wanted if kind in _KINDS))
    quoted = ""
    if "string" in wanted and not (node.is_list or node.is_mapping):
        quoted = f'; write "{node.shown}"'
    return f"must be {one_of(named)}, not {node.shown}{quoted}"


def _unknown(wanted: Mapping[str, Any], node: Node) -> Iterator[tuple[str, str]]:
    known: Mapping[str, object] = wanted.get("properties", {})
    forms: Mapping[str, object] = wanted.get("patternProperties", {})
    for key, entry in node.entries().items():
        if key in known or any(re.search(form, key) for form in forms):
            continue
        if known:
            yield entry.path, unknown_key(key, known)
        elif not key:
            yield node.path, "has an entry without a name; write one, or remove the entry"
        else:
            yield (
                entry.path,
                "this name is nothing that the Compose specification allows; write letters, "
                "digits and . _ or -",
            )
