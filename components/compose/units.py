"""Durations, sizes and CPU shares as Docker reads and writes them.

The parsers raise :class:`ValueError` whose text says what to write and never repeats the value.
"""

from __future__ import annotations

import re
from fractions import Fraction

MICROSECOND = 1_000
MILLISECOND = 1_000_000
SECOND = 1_000_000_000
_MINUTE = 60 * SECOND
_HOUR = 60 * _MINUTE
_LONGEST = 2**63 - 1
# More characters than any number that Docker can count has, and fewer than Python refuses.
_MOST_CHARACTERS = 100

_UNITS = {
    "ns": 1,
    "us": MICROSECOND,
    "µs": MICROSECOND,  # U+00B5, the micro sign
    "μs": MICROSECOND,  # U+03BC, the Greek letter
    "ms": MILLISECOND,
    "s": SECOND,
    "m": _MINUTE,
    "h": _HOUR,
}
_NO_DURATION = "not a duration; write a number with a unit, such as 30s or 1m30s"
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_SIZE = re.compile(r"(\d+\.?\d*|\.\d+)\s?([kmgtp]?i?b?)", re.ASCII | re.IGNORECASE)
_CPUS = re.compile(r"\d+\.?\d*|\.\d+|\d+/[1-9]\d*", re.ASCII)


def parse_duration(text: str) -> int:
    """Nanoseconds of a Go duration such as ``1m30s``, ``1.5s`` or ``0``."""
    if text == "0":
        return 0
    if len(text) > _MOST_CHARACTERS:
        raise ValueError(_NO_DURATION)
    total = Fraction(0)
    position = 0
    while position < len(text) and (part := _PART.match(text, position)):
        total += Fraction(part[1]) * _UNITS[part[2]]
        position = part.end()
    if not text or position < len(text) or total > _LONGEST:
        raise ValueError(_NO_DURATION)
    return int(total)


def go_duration(nanoseconds: int) -> str:
    """The duration as the docker provider reads it back: Go's form without zero parts at its end.

    ``90 s`` is ``1m30s``, ``60 s`` is ``1m``, ``3600 s`` is ``1h``, nothing is ``0s``.
    """
    if nanoseconds < SECOND:
        for unit, size in (("ms", MILLISECOND), ("µs", MICROSECOND), ("ns", 1)):
            if nanoseconds >= size:
                return _decimal(nanoseconds, size) + unit
        return "0s"
    hours, rest = divmod(nanoseconds, _HOUR)
    minutes, seconds = divmod(rest, _MINUTE)
    if not seconds and not minutes:
        return f"{hours}h"
    tail = f"{minutes}m" if hours or minutes else ""
    head = f"{hours}h" if hours else ""
    return head + tail + (_decimal(seconds, SECOND) + "s" if seconds else "")


def _decimal(amount: int, unit: int) -> str:
    whole, rest = divmod(amount, unit)
    if not rest:
        return str(whole)
    digits = str(rest).zfill(len(str(unit)) - 1).rstrip("0")
    return f"{whole}.{digits}"


def parse_size(text: str) -> int:
    """Bytes of a size such as ``64m``, ``1.5GB`` or ``1024``; units are powers of 1024."""
    match = _SIZE.fullmatch(text) if len(text) <= _MOST_CHARACTERS else None
    letters = match[2].lower() if match else ""
    if not match or letters in ("i", "ib") or letters.endswith("i"):
        raise ValueError("not a size; write a number with a unit, such as 64M or 1G")
    power = " kmgtp".find(letters[0]) if letters and letters[0] != "b" else 0
    size = int(Fraction(match[1]) * 1024**power)
    if size > _LONGEST:
        raise ValueError("larger than Docker can count; write a smaller size, such as 1G")
    return size


def parse_cpus(text: str) -> int:
    """Billionths of a CPU, from a number of CPUs such as ``0.5``."""
    if len(text) > _MOST_CHARACTERS or not _CPUS.fullmatch(text):
        raise ValueError('not a number of CPUs; write a decimal number, such as "0.5"')
    nano = Fraction(text) * 10**9
    if nano.denominator != 1 or nano > _LONGEST:
        raise ValueError('too precise for Docker; write at most nine decimals, such as "0.5"')
    return int(nano)
