"""Checks of single values. Each says in words what is wrong, or None; no value of a secret."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from . import durations
from .schema import Validator


def one_of(*allowed: str) -> Validator:
    """A check for one of these texts."""

    def check(value: Any) -> str | None:
        return None if value in allowed else f"'{value}' is not one of {', '.join(allowed)}"

    return check


def duration(value: Any) -> str | None:
    """Go's durations from 0 on."""
    nanoseconds = durations.parse(value)
    if nanoseconds is None:
        return f"'{value}' is not a duration such as 500ms, 10s or 1m30s"
    return f"'{value}' must not be negative" if nanoseconds < 0 else None


def not_negative(value: Any) -> str | None:
    """Numbers from 0 on."""
    return f"{value} must not be negative" if value < 0 else None


def ratio(value: Any) -> str | None:
    """A share as text, 0.0 to 1.0."""
    try:
        inside = 0.0 <= float(value) <= 1.0
    except ValueError:
        inside = False
    return None if inside else f"'{value}' is not a number between 0.0 and 1.0"


def standard_base64(value: Any) -> str | None:
    """Base64 with `+` and `/`, padded."""
    # The value may be a secret, so it is not shown.
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return "the value is not standard base64"
    return None
