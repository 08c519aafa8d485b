"""A ``.dockerignore``: what of a context it leaves out, as Docker's own matcher has it. Pure.

Rules and regular expressions are those of github.com/moby/patternmatcher, with which Docker and
BuildKit read it. Git's are others: there, ``*`` leaves only what lies at the top out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from components.compose.report import one_line

# A letter, or one behind a backslash, of what is between brackets.
_LETTER = r"(?:\\.|[^\\\]-])"
_SET = re.compile(rf"\[\^?(?:{_LETTER}(?:-{_LETTER})?)+\]", re.DOTALL)
_ESCAPED = re.compile(r"\\.|[\[&|~]", re.DOTALL)
_TOKEN = re.compile(r"(?P<deep>\*\*/?)|(?P<escaped>\\.)|.", re.DOTALL)

Met = tuple[bool, ...]


class IgnoreError(ValueError):
    """A line that Docker refuses; the text names it and says what to write."""


@dataclass(frozen=True)
class _Pattern:
    expression: re.Pattern[str]
    is_exception: bool


@dataclass(frozen=True)
class Ignored:
    """What a ``.dockerignore`` says; without patterns, nothing is left out."""

    patterns: tuple[_Pattern, ...] = ()

    @property
    def has_exceptions(self) -> bool:
        """Whether something may count though the folder it is in does not."""
        return any(pattern.is_exception for pattern in self.patterns)

    def match(self, path: str, above: Met = ()) -> tuple[bool, Met]:
        """Whether ``path``, from the context's folder, is left out.

        The last pattern that meets it or a folder above it decides. The second value is what the
        patterns met there; ``above`` is that of the folder it is in, empty at the top.
        """
        out = False
        met: list[bool] = []
        for number, pattern in enumerate(self.patterns):
            meets = bool(above and above[number])
            # Docker does not ask a pattern that would change nothing, nor below it.
            if not meets and pattern.is_exception == out:
                meets = pattern.expression.fullmatch(path) is not None
            met.append(meets)
            out = not pattern.is_exception if meets else out
        return out, tuple(met)

    def leaves_out(self, path: str) -> bool:
        """As :meth:`match`, for a single path."""
        met: Met = ()
        out = False
        for end in [*(i for i, letter in enumerate(path) if letter == "/"), len(path)]:
            out, met = self.match(path[:end], met)
        return out


def parsed(text: str) -> Ignored:
    """The patterns of a ``.dockerignore``.

    Raises:
        IgnoreError: with the number of the line.
    """
    found: list[_Pattern] = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        # Docker takes a line for a comment only if nothing is before the sign.
        written = "" if line.startswith("#") else line.strip()
        try:
            pattern = _cleaned(written)
            is_exception = pattern.startswith("!")
            if pattern == "!":
                raise IgnoreError('has nothing after the "!"; write what is to count all the same')
            # Nothing in the context is called so.
            if pattern not in (".", "/"):
                found.append(_Pattern(_compiled(pattern.removeprefix("!")), is_exception))
        except IgnoreError as error:
            raise IgnoreError(f'line {number}: "{one_line(written)}" {error}') from None
    return Ignored(tuple(found))


def _cleaned(line: str) -> str:
    """The shortest path of the same meaning; a slash before it is nothing to Docker."""
    sign, written = ("!", line[1:].strip()) if line.startswith("!") else ("", line)
    path = os.path.normpath(written).replace("//", "/", 1) if written else ""
    # Docker looks for the sign only now.
    return os.path.normpath(sign + (path.removeprefix("/") or path))


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile("".join(_expression(pattern)), re.DOTALL)
    except re.error:
        raise IgnoreError("has a set of letters that ends before it begins") from None


def _expression(pattern: str) -> Iterator[str]:
    # With nothing but letters after it, two stars mean any beginning, of a name as well.
    if pattern.startswith("**") and not re.search(r"[*?\\[\]]", rest := pattern[2:]):
        yield rf"(?:.*/)?{re.escape(rest[1:])}" if rest[:1] == "/" else f".*{re.escape(rest)}"
        return
    place = 0
    while place < len(pattern):
        if pattern[place] == "[":
            letters = _SET.match(pattern, place)
            if letters is None:
                raise IgnoreError(r'has a "[" that begins no set of letters; write \[ for itself')
            inside = letters[0][1:-1]
            sign, inside = ("^", inside[1:]) if inside[0] == "^" else ("", inside)
            inside = _ESCAPED.sub(lambda each: re.escape(each[0][-1]), inside)
            yield f"[{sign}{inside}]"
            place = letters.end()
            continue
        token = _TOKEN.match(pattern, place)
        assert token is not None
        place = token.end()
        if token["deep"]:
            yield ".*" if place == len(pattern) else "(?:.*/)?"
        elif token["escaped"]:
            yield re.escape(token[0][1])
        elif token[0] == "\\":
            raise IgnoreError(f"ends in a backslash; write {pattern[:-1]}")
        else:
            yield {"*": "[^/]*", "?": "[^/]"}.get(token[0]) or re.escape(token[0])
