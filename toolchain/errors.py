"""What the toolchain reports to a person."""

from __future__ import annotations


class ToolchainError(Exception):
    """Something a person must know or do; the message is one readable line."""
