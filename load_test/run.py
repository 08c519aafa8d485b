"""One load test: locust as a process of its own, the lab watched meanwhile, the orders counted."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from load_test import record
from load_test.accounting import Account
from load_test.record import Request
from load_test.shop import Shop, open_shop
from load_test.watch import Event, Sample, Watch
from operations.errors import OperationError
from operations.labs import Lab
from operations.pulumi_cli import ROOT

LOCUSTFILE = Path(__file__).parent / "locustfile.py"
# What is asked for when the time is up may still be answered.
LAST_ANSWERS_SECONDS = 20
START_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Load:
    """How much: ``users`` after ``climb`` seconds, for ``hold`` more; 0 there means until stopped.

    ``tags`` are of the locustfile: menu, orders, list; none is all of them.
    """

    users: int
    climb: float
    hold: float
    tags: tuple[str, ...]

    def __str__(self) -> str:
        then = f"{self.hold:.0f} s more" if self.hold else "until it was stopped"
        return f"up to {self.users} users within {self.climb:.0f} s, then {then}"


@dataclass(frozen=True, kw_only=True)
class Run:
    """What came of it. ``began`` is Unix time."""

    load: Load
    began: float
    requests: Sequence[Request]
    samples: Sequence[Sample]
    events: Sequence[Event]
    account: Account


def run(lab: Lab, load: Load, folder: Path, tell: Callable[[str], None]) -> Run:
    """Puts the lab's shop under load and counts the orders; ``folder`` keeps the record.

    Raises:
        OperationError: there is no shop, locust does not run, or nothing was answered at all.
    """
    shop = open_shop(lab)
    lost_earlier = shop.account(set()).items_lost
    watch = Watch(lab=lab).start()
    tell(f"{load}, at {shop.api}")
    began = time.time()
    try:
        with locust(shop.api, load, folder) as process:
            process.wait(load.climb + load.hold + START_SECONDS + 2 * LAST_ANSWERS_SECONDS)
    except subprocess.TimeoutExpired:
        raise OperationError("locust did not end in time; its words are in locust.log") from None
    finally:
        watch.stop()
    return judged(shop, load, folder, watch, began=began, lost_earlier=lost_earlier)


def judged(
    shop: Shop, load: Load, folder: Path, watch: Watch | None, *, began: float, lost_earlier: int
) -> Run:
    """The run whose record is in ``folder``, its orders counted; raises as :func:`run`.

    ``watch`` is ``None`` where nothing but the requests was watched.
    """
    requests = record.read(folder / "requests.csv")
    if not requests:
        raise OperationError(f"no request was answered; locust's words are in {folder}/locust.log")
    account = shop.account(record.acknowledged(requests), lost_earlier=lost_earlier)
    return Run(
        load=load,
        began=min([began, *(request.start for request in requests)]),
        requests=requests,
        samples=watch.samples if watch else [],
        events=sorted(watch.events, key=lambda event: event.at) if watch else [],
        account=account,
    )


@contextmanager
def locust(api: str, load: Load, folder: Path) -> Generator[subprocess.Popen[bytes]]:
    """Locust at work; at the end it is asked to stop, and made to if it does not."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "locust.log").open("wb") as log:
        process = subprocess.Popen(
            command(api, load, folder / "requests.csv"),
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(2 * LAST_ANSWERS_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def command(api: str, load: Load, file: Path) -> list[str]:
    """Locust's command line."""
    return [
        *(sys.executable, "-m", "locust", "--locustfile", str(LOCUSTFILE), "--host", api),
        *("--headless", "--only-summary", "--stop-timeout", str(LAST_ANSWERS_SECONDS)),
        *("--users", str(load.users), "--climb", str(load.climb), "--hold", str(load.hold)),
        *("--record", str(file)),
        *(["--tags", *load.tags] if load.tags else []),
    ]


def new_folder(kind: str) -> Path:
    """A place for one run's files."""
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
    return ROOT / ".cloudlet" / "load_test" / f"{kind}-{stamp}"
