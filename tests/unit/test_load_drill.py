from __future__ import annotations

import pytest

from load_test import command_line as cli
from load_test.accounting import NONE, Account, book, judge
from load_test.drill import COLUMNS, markdown, outcome
from load_test.faults import Cast, cast, renamed
from load_test.record import Request
from load_test.watch import Sight
from operations.errors import OperationError

FAULT, MENDED = 100.0, 160.0
ROLES = {
    "phone-1": "manager",
    "phone-2": "manager",
    "phone-3": "manager",
    "phone-4": "worker",
    "phone-5": "worker",
}


def request(start: float, seconds: float = 0.1, error: str = "") -> Request:
    return Request(
        start=start,
        kind="menu",
        milliseconds=seconds * 1000,
        size=1,
        users=50,
        error=error,
        order="",
    )


def account() -> Account:
    return judge(set(), book([]), before=NONE, after=NONE)


def places(**names: tuple[str, ...]) -> Sight:
    return Sight(
        nodes={}, places={f"go_coffee_{name}": there for name, there in names.items()}, images={}
    )


def test_the_shop_serves_again_once_the_last_request_has_failed() -> None:
    requests = [
        request(90),
        request(101, error="refused"),
        request(105, 5.0, error="refused"),
        request(111),
        request(165, error="refused"),
    ]
    row = outcome("x", requests, FAULT, MENDED, account())
    assert (row.failed, row.again, row.failed_mending) == (2, pytest.approx(10.0), 1)
    assert row.slowest == 5.0


def test_a_shop_that_fails_until_the_fault_is_undone_does_not_serve_again() -> None:
    requests = [request(90), request(101, error="refused"), request(159, error="refused")]
    row = outcome("x", [*requests, request(170)], FAULT, MENDED, account())
    assert row.again is None
    assert "not before it was undone" in row.cells


def test_a_fault_that_nobody_noticed_is_served_at_once() -> None:
    row = outcome("x", [request(90, error="earlier"), request(101)], FAULT, MENDED, account())
    assert (row.failed, row.again) == (0, 0.0)


def test_the_phones_of_door_and_database_are_spared() -> None:
    sight = places(
        proxy=("phone-1",),
        rabbitmq=("phone-1",),
        postgres=("phone-5",),
        counter=("phone-2",),
        kitchen=("phone-2",),
        product=("phone-4",),
        barista=("phone-5",),
    )
    assert cast(ROLES, sight) == Cast(worker="phone-4", manager="phone-2", drained="phone-2")


def test_where_the_only_worker_holds_the_database_no_worker_is_taken() -> None:
    roles = {"phone-1": "manager", "phone-4": "worker"}
    sight = places(proxy=("phone-1",), postgres=("phone-4",))
    assert cast(roles, sight) == Cast(worker=None, manager=None, drained=None)


@pytest.mark.parametrize(
    ("image", "other"),
    [
        ("shop/counter:latest@sha256:ab", "shop/counter@sha256:ab"),
        ("shop/counter@sha256:ab", "shop/counter:drill@sha256:ab"),
        ("registry:5000/counter@sha256:ab", "registry:5000/counter:drill@sha256:ab"),
        ("registry:5000/counter:1@sha256:ab", "registry:5000/counter@sha256:ab"),
    ],
)
def test_an_update_names_the_same_image_otherwise(image: str, other: str) -> None:
    assert renamed(image) == other


def test_an_image_without_a_digest_is_not_updated() -> None:
    with pytest.raises(OperationError, match="not pinned"):
        renamed("shop/counter:latest")


def test_the_table_for_the_docs_has_a_cell_for_each_column() -> None:
    text = markdown([outcome("x", [request(101)], FAULT, MENDED, account())])
    assert {line.count("|") for line in text.splitlines()} == {len(COLUMNS) + 1}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--users", "abc"], "argument --users: 'abc' is no number of users; write one like 300"),
        (["--users", "0"], "argument --users: '0' is no number of users; write one like 300"),
        (["--time", "1h"], "argument --time: '1h' is no time up to an hour; write seconds"),
        (["--climb", "nan"], "argument --climb: 'nan' is no time up to an hour; write seconds"),
    ],
)
def test_a_wrong_number_is_told_with_what_to_write(
    given: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.parser().parse_args(["run", *given])
    assert sentence in capsys.readouterr().err
