"""What an interrupted run left behind: made, but not in the state.

When Pulumi is killed while it creates something, the next run creates it again, and the Engine
refuses because the name is taken. What stands there under that name is taken over if it is
plainly the same thing: its labels are the wanted ones, and there are some.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from .client import Client, filters
from .errors import EngineError

Values = dict[str, Any]
Note = Callable[[str], None]

_TAKEN: Final = 409


class Leftovers:
    """`note` tells the user. Remembers what was taken over, for the rest of the run."""

    def __init__(self, note: Note) -> None:
        self._note = note
        self._taken_over: set[str] = set()

    def owns(self, resource_id: str) -> bool:
        """Whether a new resource of this run is this object: then no old one may remove it."""
        return resource_id in self._taken_over

    def create_or_find(
        self, client: Client, kind: str, create: Callable[[], str], name: str, labels: Values
    ) -> tuple[str, bool]:
        """The id of what `create` makes, or of its leftover; the flag says which.

        `kind` is the Engine's word: networks, secrets, configs or services.
        """
        try:
            return create(), False
        except EngineError as error:
            left = _named(client, kind, name) if error.status == _TAKEN and labels else None
            if left is None or _labels(left) != labels:
                raise
        resource_id: str = left.get("ID") or left["Id"]
        self._taken_over.add(resource_id)
        self._note(f"{kind[:-1]} {name}: left by an interrupted run, taken over")
        return resource_id, True


def _named(client: Client, kind: str, name: str) -> Values | None:
    items: list[Values] = client.get(f"/{kind}", filters(name=[name]))
    return next((item for item in items if _name(item) == name), None)


def _name(item: Values) -> str:
    return item.get("Name") or (item.get("Spec") or {}).get("Name", "")


def _labels(item: Values) -> Values:
    return item.get("Labels") or (item.get("Spec") or {}).get("Labels") or {}
