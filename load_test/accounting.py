"""What became of the orders: none that was acknowledged may be missing, no item of any forgotten.

An order is in the database or it is lost. An item is made, or a message that will have it made is
with the broker; an item with neither is lost. Items and messages are counted, for the database
does not tell which message it waits for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# What go-coffee calls an item that is ready.
MADE = 2


@dataclass(frozen=True, kw_only=True)
class Depth:
    """Between how many and how many messages are with the broker.

    Those in the hands of a barista are not told at once; as long as messages wait, every hand is
    full, so that both numbers are the same.
    """

    least: int
    most: int

    def __add__(self, other: Depth) -> Depth:
        return Depth(least=self.least + other.least, most=self.most + other.most)


NONE = Depth(least=0, most=0)


@dataclass(frozen=True, kw_only=True)
class Book:
    """The database's orders: each one's ``loyaltyMemberId``, and how many items are made."""

    members: frozenset[str]
    items: int
    made: int

    @property
    def waiting(self) -> int:
        return self.items - self.made


@dataclass(frozen=True, kw_only=True)
class Account:
    """The verdict on one run.

    ``items_lost`` is certain; up to ``items_unaccounted`` is what a race between two readings
    leaves open, and the same number where nothing is open. ``surplus`` is how many messages there
    are beyond the items that wait: after a fault a message may be sent twice, which has no item
    made twice, but up to as many losses would not be seen.
    """

    acknowledged: int
    orders_lost: frozenset[str]
    items: int
    made: int
    queued: int
    items_lost: int
    items_unaccounted: int
    surplus: int

    @property
    def settled(self) -> bool:
        """Whether counting again would tell nothing more."""
        return self.items_lost == self.items_unaccounted

    @property
    def whole(self) -> bool:
        return not self.orders_lost and not self.items_unaccounted

    def __str__(self) -> str:
        lost = str(self.items_lost)
        if not self.settled:
            lost = f"between {self.items_lost} and {self.items_unaccounted}"
        doubled = f" ({self.surplus} messages more than items wait)" if self.surplus else ""
        return (
            f"{self.acknowledged} orders acknowledged, {len(self.orders_lost)} lost; "
            f"{self.items} items in the database: {self.made} made, {self.queued} queued{doubled}, "
            f"{lost} lost"
        )


def book(orders: Iterable[Mapping[str, Any]]) -> Book:
    """The answer of ``GET /v1/fulfillment-orders``; zeros may be left out, as proto3 does."""
    members: set[str] = set()
    items = made = 0
    for order in orders:
        members.add(order.get("loyaltyMemberId", ""))
        for item in order.get("lineItems") or ():
            items += 1
            made += item.get("itemStatus", 0) == MADE
    return Book(members=frozenset(members), items=items, made=made)


def depth(ready: int, hands: int) -> Depth:
    """What one queue holds: ``ready`` messages, and those in ``hands``, full while any wait."""
    return Depth(least=ready + (hands if ready else 0), most=ready + hands)


def judge(
    acknowledged: Iterable[str],
    found: Book,
    *,
    before: Depth,
    after: Depth,
    lost_earlier: int = 0,
) -> Account:
    """The verdict.

    Args:
        acknowledged: ids of the orders that the shop acknowledged in the run.
        found: the database at one moment, with the orders of all runs.
        before: the broker no later than that moment.
        after: the broker no earlier than that moment.
        lost_earlier: items that were lost before the run; they are not lost again.
    """
    known = frozenset(acknowledged)
    # Queues only get shorter meanwhile: nobody orders any more.
    certain = max(0, found.waiting - before.most - lost_earlier)
    possible = max(0, found.waiting - after.least - lost_earlier)
    return Account(
        acknowledged=len(known),
        orders_lost=known - found.members,
        items=found.items,
        made=found.made,
        queued=after.least,
        items_lost=certain,
        items_unaccounted=max(certain, possible),
        surplus=max(0, after.least - (found.waiting - lost_earlier)),
    )


def settle(look: Callable[[], Account], more: Callable[[], bool]) -> Account:
    """Looks until nothing is missing, and at most while there is ``more`` time.

    What is on its way between database and broker is in neither for a moment, so a first look
    that finds something missing proves nothing; the least that any look found is the truth.
    """
    best = look()
    while not best.whole and more():
        again = look()
        if (len(again.orders_lost), again.items_unaccounted) <= (
            len(best.orders_lost),
            best.items_unaccounted,
        ):
            best = again
    return best
