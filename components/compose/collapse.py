"""Lists whose items have an identity, out of several files.

The rule is the Docker CLI's (``mergeSlice`` in its ``cli/compose/loader/merge.go``), for ports,
mounts, secrets and configs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias, TypeVar

from .node import Node

_Item = TypeVar("_Item")
_Placed: TypeAlias = tuple[_Item, Node]


def collapse(
    nodes: Iterable[Node | None],
    read: Callable[[Node], Iterable[_Placed[_Item]]],
    *,
    key: Callable[[_Item], str | int],
    what: str,
) -> list[_Placed[_Item]]:
    """A list whose items have an identity, such as ports, out of those in each file.

    ``nodes`` has the list of each file that has the service, ``None`` where it has none. The last
    item of a ``key`` replaces those before it, even in its own file if another file follows;
    that it does is not what anyone means, and so is told, ``what`` being the item and its key.
    """
    found: list[_Placed[_Item]] | None = None
    for node in nodes:
        items = [] if node is None else list(read(node))
        if found is None:
            found = None if node is None else items
            continue
        for side in (found, items):
            last = {key(item): place for item, place in side}
            for item, place in side:
                if last[key(item)] is not place:
                    place.report.warn(
                        place.path,
                        f"is lost, as docker stack deploy keeps the last {what} where a service "
                        "stands in several files",
                    )
        together = {key(item): (item, place) for item, place in (*found, *items)}
        found = [together[each] for each in sorted(together)]
    return found or []
