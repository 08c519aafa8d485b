from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from load_test.accounting import NONE, Account, Depth, book, depth, judge, settle


def order(member: str, *statuses: int | None) -> dict[str, Any]:
    """An order as the shop lists it; None is a status that is left out."""
    items = [{} if status is None else {"itemStatus": status} for status in statuses]
    return {"loyaltyMemberId": member, "lineItems": items}


def exactly(count: int) -> Depth:
    return Depth(least=count, most=count)


def test_an_acknowledged_order_that_the_database_lacks_is_lost() -> None:
    found = book([order("a", 2), order("c", 2)])
    account = judge({"a", "b"}, found, before=NONE, after=NONE)
    assert account.orders_lost == {"b"}
    assert not account.whole


def test_orders_made_in_full_are_whole() -> None:
    account = judge({"a"}, book([order("a", 2, 2)]), before=NONE, after=NONE)
    assert account.whole
    assert str(account) == (
        "1 orders acknowledged, 0 lost; 2 items in the database: 2 made, 0 queued, 0 lost"
    )


def test_an_item_that_waits_and_has_a_message_is_not_lost() -> None:
    found = book([order("a", 1, 1, 2), order("b", None)])
    assert judge({"a"}, found, before=exactly(3), after=exactly(3)).whole


def test_an_item_that_waits_and_has_no_message_is_lost() -> None:
    found = book([order("a", 1, 1, 1)])
    account = judge({"a"}, found, before=exactly(1), after=exactly(1))
    assert account.items_lost == 2
    assert account.settled
    assert not account.whole
    assert "2 lost" in str(account)


def test_items_made_between_two_readings_are_not_called_lost() -> None:
    account = judge({"a"}, book([order("a", 1, 1)]), before=exactly(2), after=exactly(1))
    assert account.items_lost == 0
    assert account.items_unaccounted == 1
    assert "between 0 and 1 lost" in str(account)


def test_what_was_lost_in_an_earlier_run_is_not_lost_again() -> None:
    found = book([order("a", 1, 1, 1)])
    account = judge({"a"}, found, before=exactly(1), after=exactly(1), lost_earlier=2)
    assert account.whole


def test_messages_sent_twice_after_a_fault_are_told() -> None:
    account = judge({"a"}, book([order("a", 1)]), before=exactly(3), after=exactly(3))
    assert account.surplus == 2
    assert "2 messages more than items wait" in str(account)


def test_every_hand_is_full_while_messages_wait() -> None:
    assert depth(7, hands=5) == exactly(12)
    assert depth(0, hands=5) == Depth(least=0, most=5)
    assert depth(7, hands=5) + depth(0, hands=5) == Depth(least=12, most=17)


def account_of(missing: int, lost: str = "") -> Account:
    waiting = book([order("a", *[1] * missing)])
    return judge({"a", lost} if lost else {"a"}, waiting, before=exactly(0), after=exactly(0))


def test_it_looks_again_until_nothing_is_missing() -> None:
    looks: Iterator[Account] = iter([account_of(3), account_of(1), account_of(0), account_of(9)])
    assert settle(lambda: next(looks), lambda: True).whole


def test_when_time_is_up_the_least_that_was_missing_counts() -> None:
    looks = iter([account_of(3), account_of(1), account_of(2)])
    more = iter([True, True, False])
    assert settle(lambda: next(looks), lambda: next(more)).items_lost == 1


def test_a_lost_order_does_not_come_back_by_looking_again() -> None:
    looks = iter([account_of(0, lost="b"), account_of(0, lost="b")])
    more = iter([True, False])
    assert settle(lambda: next(looks), lambda: next(more)).orders_lost == {"b"}
