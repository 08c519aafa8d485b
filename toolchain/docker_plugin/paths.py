"""Property paths such as `taskSpec.containerSpec.mounts[0]` and `env["a.b"]`."""

from __future__ import annotations

import re
from typing import Any, Final, cast

Path = tuple[str | int, ...]

_PART: Final = re.compile(r'\.?([^.\[\]"]+)|\[(\d+|\*)\]|\["((?:[^"\\]|\\.)*)"\]')


def show(path: Path) -> str:
    """The path as the engine writes it."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.search(r'[."\[\]]', part):
            text += '["' + part.replace('"', '\\"') + '"]'
        else:
            text += f".{part}" if text else part
    return text


def parse(text: str) -> Path:
    """The parts of a written path; `*` stands for every element."""
    parts: list[str | int] = []
    for match in _PART.finditer(text):
        name, index, quoted = match.groups()
        if index is not None:
            parts.append("*" if index == "*" else int(index))
        else:
            parts.append(name if name is not None else quoted.replace('\\"', '"'))
    return tuple(parts)


def keep(old: Any, new: Any, path: Path) -> Any:
    """`new` with what stands at `path` taken from `old`, which may lack it."""
    if not path:
        return old
    head, rest = path[0], path[1:]
    if isinstance(new, dict):
        return _keep_in_map(old, cast("dict[str, Any]", new), head, rest)
    if isinstance(new, list) and isinstance(old, list):
        olds, items = cast("list[Any]", old), list(cast("list[Any]", new))
        for i in range(len(items)):
            if head in (i, "*") and i < len(olds):
                items[i] = keep(olds[i], items[i], rest)
        return items
    return new


def _keep_in_map(old: Any, new: dict[str, Any], head: str | int, rest: Path) -> dict[str, Any]:
    olds = cast("dict[str, Any]", old) if isinstance(old, dict) else {}
    result = dict(new)
    keys = [*new, *(k for k in olds if k not in new)] if head == "*" else [str(head)]
    for key in keys:
        if key not in olds and not rest:
            result.pop(key, None)
        elif key in new or not rest:
            result[key] = keep(olds.get(key), new.get(key), rest)
    return result
