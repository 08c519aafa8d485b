"""A value of the file together with its place, so that every complaint names the place.

Each reader method notes what is wrong in the report and returns a harmless stand-in, so that one
run finds all the mistakes of a file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeVar

from .filling import Text
from .report import Report, join
from .yaml_text import Value, go_text

# A line that lists more keys than this is no longer read.
_MOST_NAMED = 12
_MOST_SHOWN = 80

_Word = TypeVar("_Word", bound=str)


@dataclass(frozen=True, kw_only=True)
class Node:
    """``path`` is the place as messages show it, such as ``services.web.ports[0]``.

    Where several files were merged, a mapping or list may hold nodes already, each of which
    knows its own file.
    """

    value: Value | dict[str, Node] | list[Node]
    path: str
    report: Report

    def problem(self, text: str) -> None:
        """Note a problem here, unless a missing variable is the real reason."""
        if not (isinstance(self.value, Text) and self.value.broken):
            self.report.problem(self.path, text)

    def at(self, key: str, value: Value | Node) -> Node:
        """The entry ``key`` of this mapping."""
        return self.below(join(self.path, key), value)

    def below(self, path: str, value: Value | Node) -> Node:
        if isinstance(value, Node):
            return value
        return Node(value=value, path=path, report=self.report)

    @property
    def shown(self) -> str:
        """The value as the file has it: never what a variable put in."""
        value = self.value
        if isinstance(value, str):
            text = value.template if isinstance(value, Text) else value
            return f'"{text[:_MOST_SHOWN]}…"' if len(text) > _MOST_SHOWN else f'"{text}"'
        if isinstance(value, dict):
            return "a mapping"
        if isinstance(value, list):
            return "a list"
        return "nothing" if value is None else go_text(value)

    @property
    def is_list(self) -> bool:
        return isinstance(self.value, list)

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.value, dict)

    @property
    def is_text(self) -> bool:
        return isinstance(self.value, str)

    # Mappings

    def entries(self) -> dict[str, Node]:
        """The entries of a mapping with free keys; nothing is an empty mapping."""
        if self.value is None:
            return {}
        if not isinstance(self.value, dict):
            self.problem(f"must be a mapping, not {self.shown}")
            return {}
        return {key: self.at(key, item) for key, item in self.value.items()}

    def fields(
        self,
        known: Collection[str],
        *,
        refused: Mapping[str, str] | None = None,
        ignored: Collection[str] = (),
    ) -> dict[str, Node]:
        """The entries that are set, by known key. Extension fields (``x-``) are left out.

        A ``refused`` key is a problem with its own remedy, an ``ignored`` one becomes part of the
        file's warning, any other one is a problem that names the nearest known key.
        """
        found: dict[str, Node] = {}
        for key, node in self.entries().items():
            if key in known:
                if node.value is not None:
                    found[key] = node
            elif key.startswith("x-"):
                continue
            elif refused and key in refused:
                node.report.problem(node.path, refused[key])
            elif key in ignored:
                node.report.ignore(node.path)
            else:
                node.report.problem(node.path, unknown_key(key, known))
        return found

    def items(self) -> list[Node]:
        """The items of a list."""
        if not isinstance(self.value, list):
            self.problem(f"must be a list, not {self.shown}")
            return []
        return [self.below(f"{self.path}[{index}]", item) for index, item in enumerate(self.value)]

    # Single values

    def text(self) -> str:
        if isinstance(self.value, str):
            return str(self.value)
        quoted = "" if isinstance(self.value, dict | list) else f'; write "{go_text(self.value)}"'
        self.problem(f"must be text, not {self.shown}{quoted}")
        return ""

    def name(self) -> str:
        """Text that is not empty."""
        text = self.text()
        if self.is_text and not text.strip():
            self.problem("is empty; write something, or remove the key")
        return text

    def scalar(self) -> str:
        """Text or a number, as text."""
        if isinstance(self.value, bool):
            self.problem(f'must be text or a number; write "{go_text(self.value)}" in quotes')
            return ""
        if isinstance(self.value, dict | list):
            self.problem(f"must be text or a number, not {self.shown}")
            return ""
        return go_text(self.value)

    def integer(self, *, minimum: int = 0, maximum: int = 2**31 - 1) -> int:
        value = self.value
        if isinstance(value, str) and value.isascii() and value.removeprefix("-").isdigit():
            value = int(value) if len(value) < 20 else maximum + 1
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            self.problem(
                f"{self.shown} is not a whole number; write one, such as {max(minimum, 1)}"
            )
            return minimum
        if not minimum <= value <= maximum:
            self.problem(
                f"{self.shown} is out of range; write a number from {minimum} to {maximum}"
            )
            return minimum
        return value

    def ratio(self) -> float:
        try:
            value = float(self.value) if isinstance(self.value, int | float | str) else -1.0
        except (ValueError, OverflowError):
            value = -1.0
        if isinstance(self.value, bool) or not 0 <= value <= 1:
            self.problem(f"{self.shown} is not a share; write a number from 0 to 1")
            return 0.0
        return value

    def boolean(self) -> bool:
        value = self.value
        if isinstance(value, str):
            lowered = value.lower()
            value = {
                **dict.fromkeys(("y", "yes", "true", "on"), True),
                **dict.fromkeys(("n", "no", "false", "off"), False),
            }.get(lowered, value)
        if not isinstance(value, bool):
            self.problem(f"{self.shown} is neither true nor false; write true or false")
            return False
        return value

    def choice(self, *options: _Word) -> _Word:
        for option in options:
            if self.value == option:
                return option
        self.problem(f"{self.shown} is unknown; write {one_of(options)}")
        return options[0]

    # Lists and maps of single values

    def texts(self) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(item.text() for item in self.items())

    def text_or_texts(self) -> tuple[str, ...]:
        """One text, or a list of them."""
        return (self.text(),) if self.is_text else self.texts()

    def pairs(self) -> dict[str, Node]:
        """The nodes of a mapping, or of a list of ``KEY=value``; a bare ``KEY`` has no value."""
        if not self.is_list:
            if not (self.is_mapping or self.value is None):
                self.problem(f"must be a mapping or a list, not {self.shown}")
                return {}
            return self.entries()
        found: dict[str, Node] = {}
        for item in self.items():
            key, equals, value = item.text().partition("=")
            if not key:
                item.problem("must be KEY=value")
                continue
            found[key] = item.below(item.path, value if equals else None)
        return found

    def string_map(self) -> dict[str, str]:
        """A mapping or a list of ``KEY=value`` as plain texts; no value is empty text."""
        return {key: node.scalar() for key, node in self.pairs().items()}


def unknown_key(key: str, known: Collection[str]) -> str:
    """What is wrong with a key that is not ``known``, and which one may be meant."""
    near = get_close_matches(key, known, n=1) or get_close_matches(
        key.lower(), known, n=1, cutoff=0.4
    )
    hint = f"write {near[0]}" if near else f"write {one_of(sorted(known))}"
    if not near and len(known) > _MOST_NAMED:
        hint = "remove it, or correct its name"
    return f"unknown key; {hint}"


def one_of(options: Iterable[str]) -> str:
    """``a, b or c``."""
    *most, last = options
    return f"{', '.join(most)} or {last}" if most else last
