"""Which Pulumi works with this checkout."""

from __future__ import annotations

import re
from importlib import metadata
from typing import Final

# Also in toolchain/cli/go.mod, whose checksums belong to it.
WANTED: Final = "3.259.0"
OLDEST: Final = (3, 230, 0)
TOO_NEW: Final = (4, 0, 0)
ALLOWED: Final = ">= 3.230 and < 4"


def parse(text: str) -> tuple[int, int, int] | None:
    """The version in what ``pulumi version`` prints, such as ``v3.259.0``; None if none is."""
    match = re.search(r"\bv?(\d+)\.(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def compatible(version: tuple[int, int, int]) -> bool:
    """Whether the program can run on an engine of this version."""
    return OLDEST <= version < TOO_NEW


def plugin_versions() -> dict[str, str]:
    """The provider plugins that the installed SDKs ask for, by name."""
    return {name: metadata.version(f"pulumi-{name}") for name in ("command", "docker")}
