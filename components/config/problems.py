"""What is wrong with a configuration, as lines that a person reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, cast, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from .fields import echo

Path = tuple[str | int, ...]
_OF_THE_NAME = "[key]"  # pydantic's mark for an error in a map's key instead of its value


class ConfigError(Exception):
    """A configuration that cannot be used. ``problems`` has all that is wrong, a line each."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, kw_only=True)
class Problem:
    """``text`` goes on from the key. ``spoils`` is false where only the name at ``path`` is bad.

    ``missing``: there is no such key. ``meant``: an unknown key's true name, as far as it looks.
    """

    path: Path
    text: str
    spoils: bool = True
    missing: bool = False
    meant: Path = ()

    def __str__(self) -> str:
        return f"{spell(self.path)}: {self.text}"


def spell(path: Path) -> str:
    """A path as a person would write it: ``phones.phone-2.address``, ``cleanup[0]``."""
    spelled = ""
    for part in path:
        if isinstance(part, int):
            spelled += f"[{part}]"
        else:
            plain = re.fullmatch(r"[\w-]+", part)
            spelled += ("." if spelled else "") + (part if plain else repr(part))
    return spelled


def kind(value: object) -> str:
    """What a value is, to a person who writes YAML."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, Mapping):
        return "a map"
    return "a list" if isinstance(value, list) else "text"


def describe(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """The problems that ``model`` found in what it was given."""
    problems: list[Problem] = []
    for found in error.errors(include_url=False):
        path = found["loc"]
        named = path[-1:] == (_OF_THE_NAME,)
        path = path[:-1] if named else path
        text = _text(found["type"], path, found.get("ctx", {}), found["input"], model)
        meant = found["type"] == "extra_forbidden" and _meant(path, model)
        problems.append(
            Problem(
                path=path,
                text=text,
                spoils=not named,
                missing=found["type"] == "missing",
                meant=(*path[:-1], meant) if meant else (),
            )
        )
    return problems


def once(problems: Iterable[Problem]) -> list[Problem]:
    """The problems, without those of a key that is only missing as it is misspelt."""
    found = list(problems)
    meant = {problem.meant for problem in found}
    return [each for each in found if not (each.missing and each.path in meant)]


def _text(
    fault: str, path: Path, context: Mapping[str, Any], value: object, model: type[BaseModel]
) -> str:
    owner, last = _owner(path, model), str(path[-1])
    if fault == "extra_forbidden":
        meant = _meant(path, model)
        hint = f"did you mean {meant}?" if meant else f"known here are {_list(_known(owner))}"
        return f"unknown key; {hint}"
    if fault == "missing":
        return f"is missing: {_known(owner)[last].description}"
    if fault == "value_error":
        return str(context["error"])
    if value is None or fault == "too_short":
        return "is empty; fill it in or remove the key"
    if fault == "literal_error":
        return f"must be {context['expected']}, not {_shown(value)}"
    if fault == "greater_than_equal":
        return f"{value} is too small; at least {context['ge']}"
    if fault == "less_than_equal":
        return f"{value} is too large; at most {context['le']}"
    if fault == "model_type" and (example := _example(value, _owner((*path, ""), model))):
        return f"must be a map, not {kind(value)}; write {example}"
    if fault == "string_type" and isinstance(value, int | float):
        return _as_text(value, _field(path, model)) or _wrong_type(fault, value)
    return _wrong_type(fault, value)


def _example(value: object, model: type[BaseModel]) -> str:
    """The map that was meant by ``value``, as far as that can be seen; nothing without a need."""
    extra = cast("dict[str, Any]", model.model_config.get("json_schema_extra") or {})
    either = [key for choice in extra.get("oneOf", [])[:1] for key in choice["required"]]
    needed = [key for key, field in _known(model).items() if field.is_required()] or either
    meant = "…"
    if isinstance(value, str) and len(needed) == 1:
        meant = value if re.fullmatch(r"[\w./~-]+", value) else echo(value)
    return f"{{{', '.join(f'{key}: {meant}' for key in needed)}}}" if needed else ""


def _as_text(value: float, field: FieldInfo | None) -> str:
    """What else is wrong with a number, were it the text that it should be."""
    if field is None:
        return ""
    # pydantic takes a field's type and its checks apart.
    checked = cast(Any, Annotated)[(field.annotation, *field.metadata)]
    try:
        TypeAdapter[object](checked).validate_python(str(value))
    except ValidationError as error:
        return str(error.errors()[0].get("ctx", {}).get("error", ""))
    return ""


def _wrong_type(fault: str, value: object) -> str:
    given = kind(value)
    if fault == "string_type":
        quoted = "; write it in quotes" if isinstance(value, int | float) else ""
        return f"must be text, not {given}{quoted}"
    if fault.startswith("int"):
        if isinstance(value, float):
            return "must be a whole number"
        quoted = "; write it without quotes" if isinstance(value, str) and value.isdecimal() else ""
        return f"must be a whole number, not {given}{quoted}"
    if fault == "list_type":
        return f"must be a list, as in [a, b], not {given}"
    if fault in ("dict_type", "model_type"):
        return f"must be a map (key: value), not {given}"
    return "is not a value that can be used here"


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, str) and len(value) <= 20 else kind(value)


def _meant(path: Path, model: type[BaseModel]) -> str:
    """The key that an unknown one looks like."""
    plain = {name.lower(): name for name in sorted(_known(_owner(path, model)))}
    key = str(path[-1]).lower().replace("_", "").replace("-", "")
    near = get_close_matches(key, plain, n=1)
    return plain[near[0]] if near else ""


def _list(keys: Iterable[str]) -> str:
    return ", ".join(sorted(keys))


def _known(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _field(path: Path, model: type[BaseModel]) -> FieldInfo | None:
    """What is known of the value there; nothing where its name is one that the user chose."""
    field, inner = None, cast("type[BaseModel] | None", model)
    parts = iter(path)
    for part in parts:
        field = None if inner is None else _known(inner).get(str(part))
        if field is None:
            return None
        inner = _model_in(field.annotation)
        if get_origin(field.annotation) is dict and next(parts, None) is not None:
            field = None
    return field


def _owner(path: Path, model: type[BaseModel]) -> type[BaseModel]:
    """The model that the last part of the path is, or would be, a key of."""
    parts = iter(path[:-1])
    for part in parts:
        field = _known(model).get(str(part))
        inner = None if field is None else _model_in(field.annotation)
        if field is None or inner is None:
            break
        model = inner
        if get_origin(field.annotation) is dict:
            next(parts, None)  # a name that the user chose
    return model


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(part) for part in cast("tuple[object, ...]", get_args(annotation)))
    return next((model for model in inner if model is not None), None)
