"""Variables filled into the values of a file, with what the file itself says kept beside them."""

from __future__ import annotations

from collections.abc import Mapping

from .interpolate import Missing, TemplateError, substitute
from .report import Report, join
from .yaml_text import Value


class Text(str):
    """Text with variables filled in. ``template`` is what the file says, and safe to show."""

    template: str
    broken: bool


def fill(value: Value, variables: Mapping[str, str], path: str, report: Report) -> Value:
    """``value`` with the variables of every text in it filled in; keys stay as they are."""
    places: dict[Missing, list[str]] = {}
    filled = _fill(value, variables, path, report, places)
    for missing, paths in places.items():
        report.problem(paths[0], _undefined(missing, len(paths) - 1))
    return filled


def _fill(
    value: Value,
    variables: Mapping[str, str],
    path: str,
    report: Report,
    places: dict[Missing, list[str]],
) -> Value:
    if isinstance(value, dict):
        return {
            key: _fill(item, variables, join(path, key), report, places)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [
            _fill(item, variables, f"{path}[{index}]", report, places)
            for index, item in enumerate(value)
        ]
    if not isinstance(value, str) or "$" not in value:
        return value
    broken = False
    try:
        result = substitute(value, variables)
    except TemplateError as error:
        report.problem(path, str(error))
        text, broken = Text(""), True
    else:
        for missing in result.missing:
            places.setdefault(missing, []).append(path)
        text, broken = Text(result.text), bool(result.missing)
    text.template, text.broken = value, broken
    return text


def variables_wanted(value: Value) -> frozenset[str]:
    """The names of the variables that must be defined for ``value`` to be filled in."""
    places: dict[Missing, list[str]] = {}
    _fill(value, {}, "", Report(source=""), places)
    return frozenset(missing.name for missing in places)


def _undefined(missing: Missing, further: int) -> str:
    name = missing.name
    what = "is empty" if missing.empty else "is not defined"
    reason = f" ({missing.message})" if missing.message else ""
    more = f" ({further} more place{'s use' if further > 1 else ' uses'} it)" if further else ""
    return (
        f"variable {name} {what}{reason}{more}; write it under cloudlet:secrets or the "
        f"stack's variables, or give a default here: ${{{name}:-…}}"
    )
