"""Go's way of writing durations, which the state and the Engine's fields use."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

_UNITS: Final[dict[str, int]] = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_PART: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")


def parse(text: str) -> int | None:
    """Nanoseconds, or None where Go would not read the text as a duration."""
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if rest == "0":
        return 0
    total, position = Fraction(0), 0
    for match in _PART.finditer(rest):
        if match.start() != position:
            return None
        total += Fraction(match[1].rstrip(".")) * _UNITS[match[2]]
        position = match.end()
    if position == 0 or position != len(rest):
        return None
    return sign * int(total)


def show(nanoseconds: int) -> str:
    """Go's form without zero parts at the end: `1m30s`, `1m`, `0s`."""
    if nanoseconds < 0:
        return "-" + show(-nanoseconds)
    if nanoseconds == 0:
        return "0s"
    if nanoseconds < 10**9:
        for unit, size in (("ms", 10**6), ("µs", 10**3), ("ns", 1)):
            if nanoseconds >= size:
                return _decimal(Fraction(nanoseconds, size)) + unit
    minutes, rest = divmod(nanoseconds, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    text = _decimal(Fraction(rest, 10**9)) + "s"
    if minutes or hours:
        text = f"{minutes}m{text}"
    if hours:
        text = f"{hours}h{text}"
    if text.endswith("m0s"):
        text = text[:-2]
    return text[:-2] if text.endswith("h0m") else text


def _decimal(number: Fraction) -> str:
    whole, rest = divmod(number, 1)
    if not rest:
        return str(int(whole))
    return f"{int(whole)}.{int(rest * 10**9):09d}".rstrip("0")
