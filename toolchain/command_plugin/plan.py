"""What a change of inputs means, and what a preview can know of the outputs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from toolchain.plugin.properties import UNKNOWN, has_unknown

# Only triggers that appear or vanish as a whole demand a replacement here; for a change in one of
# them the SDK asks the engine itself.
_REPLACING: Final = frozenset({"triggers"})
OUTPUTS: Final = ("stdout", "stderr")


class Kind(Enum):
    """What happens to one property."""

    ADD = "ADD"
    DELETE = "DELETE"
    UPDATE = "UPDATE"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One property that differs; `path` as the engine writes it."""

    path: str
    kind: Kind

    @property
    def replaces(self) -> bool:
        return self.path in _REPLACING

    @property
    def property(self) -> str:
        return re.split(r"[.\[]", self.path, maxsplit=1)[0]


def changes(
    old: Mapping[str, Any], new: Mapping[str, Any], state: Mapping[str, Any], ignore: Sequence[str]
) -> list[Change]:
    """The differences of two sets of inputs; of those in `ignore`, `state` counts as new."""
    wanted = {
        name: value
        for name, value in new.items()
        if name != "version" and not name.startswith("__")
    }
    wanted |= {name: state[name] for name in ignore if name in state}
    return list(_differences(dict(old), wanted, ""))


def preview_create(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs of a command that has not run: its inputs are known, what it prints is not."""
    return {**inputs, **dict.fromkeys(OUTPUTS, UNKNOWN)}


def preview_update(state: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs before an update; what was printed counts as known until an input differs."""
    unsure = any(
        has_unknown(value) or (name in state and state[name] != value)
        for name, value in inputs.items()
    ) or any(name not in inputs for name in state if name not in OUTPUTS)
    printed = {name: UNKNOWN if unsure else state.get(name, "") for name in OUTPUTS}
    return {**inputs, **printed}


def _differences(old: Any, new: Any, path: str) -> Iterator[Change]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            inner = _member(path, name)
            if name not in new:
                yield Change(path=inner, kind=Kind.DELETE)
            elif name not in old:
                yield Change(path=inner, kind=Kind.ADD)
            else:
                yield from _differences(old[name], new[name], inner)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            inner = f"{path}[{index}]"
            if index >= len(new):
                yield Change(path=inner, kind=Kind.DELETE)
            elif index >= len(old):
                yield Change(path=inner, kind=Kind.ADD)
            else:
                yield from _differences(old[index], new[index], inner)
    elif has_unknown(new) or old != new:
        yield Change(path=path, kind=Kind.UPDATE)


def _member(path: str, name: str) -> str:
    if re.search(r"[^A-Za-z0-9_]", name):
        escaped = name.replace('"', '\\"')
        return f'{path}["{escaped}"]'
    return f"{path}.{name}" if path else name
