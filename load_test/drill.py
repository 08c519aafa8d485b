"""The shop under load while its lab is hurt: how many requests fail, for how long, what is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from components.members.managers import any_manager, wait_until
from components.remote.ssh import PhoneError
from load_test import faults, page, record
from load_test.accounting import Account
from load_test.faults import DATABASE, DOOR, Fault
from load_test.record import Request
from load_test.run import Load, judged, locust
from load_test.shop import STACK, open_shop
from load_test.watch import Watch
from operations.errors import OperationError
from operations.labs import Lab
from toolchain.where import table

STATELESS = tuple(f"{STACK}_{name}" for name in ("product", "counter", "barista", "kitchen", "web"))
CALM_BEFORE_SECONDS = 10.0
# So long without a failed request means that the shop serves again.
CALM_SECONDS = 10.0
# A phone's loss shows only when the managers miss it.
LEAST_SECONDS = 30.0
PATIENCE_SECONDS = 90.0
WHOLE_SECONDS = 180.0
COLUMNS = (
    "what happened",
    "requests",
    "failed",
    "served again after",
    "failed while mended",
    "slowest answer",
    "orders acknowledged",
    "orders lost",
    "items lost",
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One fault's outcome. Times in seconds; ``again`` is 0 where no request failed, ``None``
    where the shop did not serve again before the fault was undone."""

    title: str
    requests: int
    failed: int
    again: float | None
    failed_mending: int
    slowest: float
    account: Account

    @property
    def cells(self) -> tuple[str, ...]:
        """As in :data:`COLUMNS`."""
        lost = str(self.account.items_lost)
        if not self.account.settled:
            lost = f"{lost} to {self.account.items_unaccounted}"
        if self.account.surplus:
            lost += f" ({self.account.surplus} messages doubled)"
        return (
            self.title,
            str(self.requests),
            str(self.failed),
            _again(self.again),
            str(self.failed_mending),
            f"{self.slowest:.1f} s",
            str(self.account.acknowledged),
            str(len(self.account.orders_lost)),
            lost,
        )


def drill(
    lab: Lab, load: Load, folder: Path, simulated: str | None, tell: Callable[[str], None]
) -> list[Row]:
    """Each fault under a load of its own; the lab is whole before and after each.

    Raises:
        OperationError: the lab is not whole to begin with, or did not become so again in time.
    """
    _require_whole(lab, 5.0)
    return [
        _one(lab, load, fault, folder / f"{number}", tell)
        for number, fault in enumerate(_faults(lab, simulated, tell), 1)
    ]


def outcome(
    title: str, requests: Sequence[Request], at: float, mended: float, account: Account
) -> Row:
    """What a record says of a fault at ``at`` that was undone at ``mended``; Unix times."""
    failed = [request.end for request in requests if request.error and request.end >= at]
    before = [end for end in failed if end < mended]
    served = not before or any(
        not request.error and before[-1] < request.start and request.end < mended
        for request in requests
    )
    return Row(
        title=title,
        requests=len(requests),
        failed=len(before),
        again=(max(before) - at if before else 0.0) if served else None,
        failed_mending=len(failed) - len(before),
        slowest=max(
            (request.milliseconds / 1000 for request in requests if request.end >= at), default=0.0
        ),
        account=account,
    )


def shown(rows: Iterable[Row]) -> str:
    """The table for a terminal."""
    return "\n".join(table([COLUMNS, *(row.cells for row in rows)]))


def markdown(rows: Iterable[Row]) -> str:
    """The table for docs/."""
    lines = [COLUMNS, tuple("---" for _ in COLUMNS), *(row.cells for row in rows)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _faults(lab: Lab, simulated: str | None, tell: Callable[[str], None]) -> Iterable[Fault]:
    """One after the other: each takes the phones that carry the shop by then."""
    roles = {name: phone.role for name, phone in lab.configured.phones.items()}

    def phone_for(part: str) -> str:
        sight = faults.seen(lab)
        chosen = getattr(faults.cast(roles, sight), part)
        if chosen is None:
            spared = sight.places.get(DATABASE, ()) + sight.places.get(DOOR, ())
            tell(f"No {part} but {' and '.join(spared)}, with the door and what is kept: left out")
        return chosen or ""

    for role in ("worker", "manager"):
        if phone := phone_for(role):
            yield faults.stopped(lab, phone, role, simulated)
    yield faults.updated(lab, "all coffee services but the door updated", STATELESS)
    yield faults.updated(lab, "the door (proxy) updated", [DOOR])
    if phone := phone_for("drained"):
        yield faults.drained(lab, phone)


def _one(lab: Lab, load: Load, fault: Fault, folder: Path, tell: Callable[[str], None]) -> Row:
    shop = open_shop(lab)
    lost_earlier = shop.account(set()).items_lost
    watch = Watch(lab=lab).start()
    began = time.time()
    try:
        with locust(shop.api, load, folder):
            time.sleep(load.climb + CALM_BEFORE_SECONDS)
            tell(f"{fault.title}, at {load.users} users")
            at = watch.note(fault.title)
            try:
                fault.do()
                _wait_calm(lab, folder, at)
            finally:
                mended = watch.note("undone")
                fault.mend()
            _require_whole(lab, WHOLE_SECONDS)
            time.sleep(CALM_BEFORE_SECONDS)
    finally:
        watch.stop()
    run = judged(shop, load, folder, watch, began=began, lost_earlier=lost_earlier)
    page.write(run, folder)
    row = outcome(fault.title, run.requests, at, mended, run.account)
    tell(
        f"  {row.failed} of {row.requests} requests failed, served again: {_again(row.again)}; "
        f"{run.account}"
    )
    return row


def _wait_calm(lab: Lab, folder: Path, at: float) -> None:
    def calm() -> bool:
        now = time.time()
        if now - at < LEAST_SECONDS:
            return False
        recent = [r for r in record.read(folder / "requests.csv") if r.end > now - CALM_SECONDS]
        served = any(not request.error for request in recent)
        return served and not any(request.error for request in recent) and _runs_in_full(lab)

    wait_until(calm, PATIENCE_SECONDS, every=2.0)


def _runs_in_full(lab: Lab) -> bool:
    with suppress(PhoneError), any_manager(lab.managers, lab.swarm_id) as manager:
        return not faults.unconverged(manager)
    return False


def _require_whole(lab: Lab, seconds: float) -> None:
    lacks = ["no manager answered"]

    def whole() -> bool:
        nonlocal lacks
        try:
            with any_manager(lab.managers, lab.swarm_id) as manager:
                lacks = faults.missing(manager)
        except PhoneError as error:
            lacks = [str(error)]
        return not lacks

    if not wait_until(whole, seconds, every=1.0):
        raise OperationError(
            f"the lab is not whole: {'; '.join(lacks)}. `make refresh up` mends it"
        )


def _again(seconds: float | None) -> str:
    if seconds is None:
        return "not before it was undone"
    return f"{seconds:.1f} s" if seconds else "at once"
