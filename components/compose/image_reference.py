"""What can be the name of an image, by the grammar of github.com/distribution/reference. Pure."""

from __future__ import annotations

import re

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_REGISTRY = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?"
_NAME = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?:{_REGISTRY}/)?{_NAME}(?:/{_NAME})*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)
# Docker takes such a name for an image's id.
_ID = re.compile(r"[0-9a-f]{64}")
# A name has 255 characters at most, a tag 128, a digest 71.
_LONGEST = 255 + 1 + 128 + 1 + 71


def is_reference(text: str) -> bool:
    """Whether Docker would take the text for the name of an image, tag and digest included."""
    return (
        len(text) <= _LONGEST
        and _REFERENCE.fullmatch(text) is not None
        and _ID.fullmatch(text) is None
    )


def is_repository(text: str) -> bool:
    """Whether a registry would take the text for the name of a repository of its own."""
    return re.fullmatch(rf"{_NAME}(?:/{_NAME})*", text) is not None
