"""The one kind of failure that is told as a sentence and not as a traceback."""

from __future__ import annotations


class OperationError(Exception):
    """Something that a person can act on; the text is the whole message."""
