"""Keys that are meant for cloudlet and stand under a name that nothing reads."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from .model import KEYS

# What reads keys of its own in this program: Pulumi, and the providers that it uses.
_READ = frozenset({"command", "docker", "pulumi"})
# Near enough for a slip of the fingers, and too far for another product, such as cloudflare.
_NEAR = 0.8


def strays(keys: Iterable[str], project: str) -> list[str]:
    """A line for each key whose namespace looks like ``project``, or whose name is one of ours."""
    told: list[str] = []
    for key in sorted(keys):
        namespace, _, name = key.partition(":")
        if namespace == project or namespace in _READ:
            continue
        if name in KEYS or get_close_matches(namespace.lower(), [project], cutoff=_NEAR):
            told.append(f"{key}: nothing reads this; write {project}:{name}")
    return told
