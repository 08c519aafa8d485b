"""The majority that a swarm's managers need, and the sum that shows it in words."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass


def majority(managers: int) -> int:
    """How many of so many managers must answer for the swarm to take orders."""
    return managers // 2 + 1


def tolerance(managers: int) -> int:
    """How many of so many managers may be lost at once."""
    return max(managers - majority(managers), 0)


def cost_of_even(managers: int) -> str | None:
    """What an even number of managers costs, as a sentence; ``None`` where it costs nothing."""
    if managers < 2 or managers % 2:
        return None
    fewer, more = managers - 1, managers + 1
    verb = "does" if fewer == 1 else "do"
    return (
        f"{managers} managers tolerate the loss of {tolerance(managers)}, as {fewer} {verb}; "
        f"make it {fewer}, or {more} to tolerate the loss of {tolerance(more)}"
    )


def is_over(
    *, managers: AbstractSet[str], asked: AbstractSet[str], still_in: AbstractSet[str]
) -> bool:
    """Whether a swarm that has no leader will never have one again.

    ``managers`` is who manages it as one of them has it; of those ``asked``, ``still_in`` take
    themselves for its managers. One that was not asked may still be the one that it needs.
    """
    return managers <= asked and len(managers & still_in) < majority(len(managers))


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """``sum`` is one sentence for a person, whichever way ``keeps_majority`` turned out."""

    keeps_majority: bool
    sum: str


def standing(*, managers: AbstractSet[str], reachable: AbstractSet[str]) -> Verdict:
    """Whether the managers can go on as they are."""
    answering = len(managers & reachable)
    return Verdict(
        keeps_majority=answering >= majority(len(managers)), sum=_sum(len(managers), answering)
    )


def removal(
    *, managers: AbstractSet[str], reachable: AbstractSet[str], leaving: AbstractSet[str]
) -> Verdict:
    """Whether the managers that stay can go on when ``leaving`` are demoted or removed.

    Names that are no managers count for nothing. The answer holds for every step on the way too,
    as long as the unreachable ones of ``leaving`` go first: each of those only helps the majority.
    """
    now = standing(managers=managers, reachable=reachable)
    gone = managers & leaving
    staying = managers - leaving
    left = staying & reachable
    if not gone:
        return Verdict(keeps_majority=True, sum="no manager leaves")
    if not now.keeps_majority:
        return Verdict(keeps_majority=False, sum=f"the majority is lost already: {now.sum}")
    names = ", ".join(sorted(gone))
    if not staying:
        return Verdict(keeps_majority=False, sum=f"without {names} no manager is left")
    return Verdict(
        keeps_majority=len(left) >= majority(len(staying)),
        sum=f"without {names}: {_sum(len(staying), len(left))}",
    )


def change(
    *, managers: AbstractSet[str], reachable: AbstractSet[str], wanted: AbstractSet[str]
) -> Verdict:
    """:func:`removal` of the managers that are not ``wanted``, after those that are have joined."""
    leaving = managers - wanted
    if not leaving or len(managers & reachable) < majority(len(managers)):
        return removal(managers=managers, reachable=reachable, leaving=leaving)
    joining = wanted - managers
    return removal(managers=managers | joining, reachable=reachable | joining, leaving=leaving)


def _sum(managers: int, answering: int) -> str:
    noun = "manager needs" if managers == 1 else "managers need"
    verb = "answers" if answering == 1 else "answer"
    return f"{managers} {noun} {majority(managers)} to answer, and {answering} {verb}"
