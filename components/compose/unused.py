"""Variables that a stack is given and that nothing in it has: most are misspelt. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REFERENCE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")


def unused_variables(stack: str, texts: Iterable[str], names: Iterable[str]) -> list[str]:
    """A line for each of the variables ``names`` that the compose files ``texts`` do not name.

    None where they name an ``env_file``, which may.
    """
    text = "\n".join(texts)
    words = set(_NAME.findall(text))
    if "env_file" in words:
        return []
    lines: list[str] = []
    for name in names:
        if name not in words:
            near = get_close_matches(name, sorted(set(_REFERENCE.findall(text))), n=1)
            meant = f"did you mean {near[0]}?" if near else "remove it"
            lines.append(f"stacks.{stack}.variables.{name}: the compose file has none; {meant}")
    return lines
