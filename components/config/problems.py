"""What is wrong with a configuration, as lines that a person reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

Path = tuple[str | int, ...]
_OF_THE_NAME = "[key]"  # pydantic's mark for an error in a map's key instead of its value


class ConfigError(Exception):
    """A configuration that cannot be used. ``problems`` has all that is wrong, a line each."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, kw_only=True)
class Problem:
    """``text`` goes on from the key. ``spoils`` is false where only the name at ``path`` is bad."""

    path: Path
    text: str
    spoils: bool = True

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
        problems.append(Problem(path=path, text=text, spoils=not named))
    return problems


def _text(
    fault: str, path: Path, context: Mapping[str, Any], value: object, model: type[BaseModel]
) -> str:
    owner, last = _owner(path, model), str(path[-1])
    if fault == "extra_forbidden":
        return _unknown(last, owner)
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
    return _wrong_type(fault, value)


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


def _unknown(key: str, owner: type[BaseModel]) -> str:
    known = sorted(_known(owner))
    plain = {name.lower(): name for name in known}
    near = get_close_matches(key.lower().replace("_", "").replace("-", ""), plain, n=1)
    if near:
        return f"unknown key; did you mean {plain[near[0]]}?"
    return f"unknown key; known here are {', '.join(known)}"


def _known(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


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
