"""Variables in a compose file: ``$NAME``, ``${NAME}`` and the forms with a default or a message.

The forms are the Compose specification's, which include all that ``docker stack deploy`` knows::

    ${NAME:-word}  word where NAME is undefined or empty     ${NAME-word}  where undefined
    ${NAME:?word}  an error where undefined or empty         ${NAME?word}  where undefined
    ${NAME:+word}  word where NAME is defined and not empty  ${NAME+word}  where defined
    $$             a dollar sign

A word may hold variables again. An undefined ``${NAME}`` is an error here (``docker stack
deploy`` puts in nothing and warns).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*", re.ASCII)
_OPERATORS = (":-", ":?", ":+", "-", "?", "+")
_DEEPEST = 20


class TemplateError(ValueError):
    """A ``$`` that starts nothing; the text says what to write, and holds no value."""


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A variable that has to be defined and is not. ``message`` is the file's own, if any."""

    name: str
    message: str = ""
    empty: bool = False


@dataclass(frozen=True, kw_only=True)
class Substitution:
    """``text`` with nothing where a variable is ``missing``."""

    text: str
    missing: tuple[Missing, ...] = ()


def substitute(template: str, variables: Mapping[str, str], *, depth: int = 0) -> Substitution:
    """``template`` with its variables filled in; raises :class:`TemplateError`.

    ``depth`` counts the words around this one.
    """
    if depth > _DEEPEST:
        raise TemplateError(f"more than {_DEEPEST} variables within each other's words; write less")
    parts: list[str] = []
    missing: list[Missing] = []
    position = 0
    while (dollar := template.find("$", position)) >= 0:
        parts.append(template[position:dollar])
        following = template[dollar + 1 : dollar + 2]
        if following == "$":
            parts.append("$")
            position = dollar + 2
        elif following == "{":
            end = _closing_brace(template, dollar + 2)
            filled = _braced(template[dollar + 2 : end], variables, depth)
            parts.append(filled.text)
            missing += filled.missing
            position = end + 1
        elif name := _NAME.match(template, dollar + 1):
            _refuse_ambiguous(template, name)
            parts.append(_value(name[0], variables, missing))
            position = name.end()
        else:
            raise TemplateError("a $ that starts no variable; write $$ for a plain dollar sign")
    parts.append(template[position:])
    return Substitution(text="".join(parts), missing=tuple(missing))


def _refuse_ambiguous(template: str, name: re.Match[str]) -> None:
    # docker stack deploy takes "$NAME-x" for "${NAME-x}", docker compose for "${NAME}-x".
    if re.match(r":?[-?]", template[name.end() :]):
        raise TemplateError(
            f"${name[0]}{template[name.end()]} can be read in two ways; "
            f"write ${{{name[0]}}} with braces"
        )


def _closing_brace(template: str, start: int) -> int:
    depth = 0
    position = start
    while position < len(template):
        pair = template[position : position + 2]
        if pair in ("$$", "${"):
            depth += pair == "${"
            position += 2
            continue
        if template[position] == "}":
            if depth == 0:
                return position
            depth -= 1
        position += 1
    raise TemplateError("a ${ without its }; close it, or write $$ for a plain dollar sign")


def _braced(inside: str, variables: Mapping[str, str], depth: int) -> Substitution:
    name = _NAME.match(inside)
    if not name:
        raise TemplateError("${ needs a variable's name after it, as in ${NAME}")
    rest = inside[name.end() :]
    if not rest:
        missing: list[Missing] = []
        text = _value(name[0], variables, missing)
        return Substitution(text=text, missing=tuple(missing))
    operator = next((known for known in _OPERATORS if rest.startswith(known)), None)
    if operator is None:
        raise TemplateError(
            f"${{{name[0]}…}} is in no known form; write ${{{name[0]}}}, ${{{name[0]}:-default}}, "
            f"${{{name[0]}:?message}} or ${{{name[0]}:+other}}"
        )
    word = rest[len(operator) :]
    value = variables.get(name[0])
    usable = value is not None and (value != "" or not operator.startswith(":"))
    if operator.endswith("+"):
        return substitute(word, variables, depth=depth + 1) if usable else Substitution(text="")
    if usable:
        return Substitution(text=value or "")
    if operator.endswith("-"):
        return substitute(word, variables, depth=depth + 1)
    absent = Missing(name=name[0], message=word.strip(), empty=value is not None)
    return Substitution(text="", missing=(absent,))


def _value(name: str, variables: Mapping[str, str], missing: list[Missing]) -> str:
    value = variables.get(name)
    if value is None:
        missing.append(Missing(name=name))
        return ""
    return value
