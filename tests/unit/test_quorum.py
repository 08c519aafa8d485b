"""The sums by which managers may come and go."""

from __future__ import annotations

import pytest

from components.members import quorum

A, B, C, D, E = "abcde"


@pytest.mark.parametrize(
    ("managers", "majority", "tolerance"),
    [(0, 1, 0), (1, 1, 0), (2, 2, 0), (3, 2, 1), (4, 3, 1), (5, 3, 2), (7, 4, 3)],
)
def test_majority_and_tolerance(managers: int, majority: int, tolerance: int) -> None:
    assert quorum.majority(managers) == majority
    assert quorum.tolerance(managers) == tolerance


@pytest.mark.parametrize("managers", [0, 1, 3, 5])
def test_a_number_that_is_not_even_costs_nothing(managers: int) -> None:
    assert quorum.cost_of_even(managers) is None


def test_an_even_number_costs_a_phone_that_adds_no_safety() -> None:
    assert quorum.cost_of_even(2) == (
        "2 managers tolerate the loss of 0, as 1 does; make it 1, or 3 to tolerate the loss of 1"
    )


@pytest.mark.parametrize(
    ("managers", "reachable", "leaving", "keeps", "sentence"),
    [
        ({A, B, C}, {A, B, C}, set[str](), True, "no manager leaves"),
        ({A, B, C}, {A, B, C}, {D}, True, "no manager leaves"),
        ({A, B, C}, {A, B, C}, {C}, True, "without c: 2 managers need 2 to answer, and 2 answer"),
        ({A, B, C}, {A, B}, {C}, True, "without c: 2 managers need 2 to answer, and 2 answer"),
        ({A, B, C}, {A, B}, {B}, False, "without b: 2 managers need 2 to answer, and 1 answers"),
        (
            {A, B, C},
            {A, B},
            {B, C},
            True,
            "without b, c: 1 manager needs 1 to answer, and 1 answers",
        ),
        (
            {A, B, C, D, E},
            {A, B, C},
            {A, B},
            False,
            "without a, b: 3 managers need 2 to answer, and 1 answers",
        ),
        (
            {A, B, C},
            {A},
            {B},
            False,
            "the majority is lost already: 3 managers need 2 to answer, and 1 answers",
        ),
        ({A}, {A}, {A}, False, "without a no manager is left"),
        ({A, B}, {A, B, C}, {A}, True, "without a: 1 manager needs 1 to answer, and 1 answers"),
    ],
)
def test_a_removal_is_judged_by_who_stays_and_answers(
    managers: set[str], reachable: set[str], leaving: set[str], keeps: bool, sentence: str
) -> None:
    verdict = quorum.removal(managers=managers, reachable=reachable, leaving=leaving)
    assert (verdict.keeps_majority, verdict.sum) == (keeps, sentence)


def test_a_removal_that_is_allowed_keeps_the_majority_at_every_step() -> None:
    for total in range(1, 8):
        for answering in range(total + 1):
            for dead_leave in range(total - answering + 1):
                for live_leave in range(answering + 1):
                    names = [str(number) for number in range(total)]
                    live, dead = names[:answering], names[answering:]
                    order = [*dead[:dead_leave], *live[:live_leave]]
                    verdict = quorum.removal(
                        managers=set(names), reachable=set(live), leaving=set(order)
                    )
                    if order and verdict.keeps_majority:
                        for step in range(1, len(order) + 1):
                            gone = order[:step]
                            staying = [name for name in names if name not in gone]
                            left = [name for name in live if name not in gone]
                            assert len(left) >= quorum.majority(len(staying))
