"""What a run recorded: one line a request, and what follows from the lines."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

KINDS = ("menu", "order", "list")


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request. ``start`` is Unix time in seconds; ``size`` the answer's bytes.

    ``error`` is empty where the answer was what was asked for. ``order`` is the id of an order that
    the shop acknowledged, and empty for everything else. ``users`` is how many there were.
    """

    start: float
    kind: str
    milliseconds: float
    size: int
    users: int
    error: str
    order: str

    @property
    def end(self) -> float:
        return self.start + self.milliseconds / 1000


@dataclass(frozen=True, kw_only=True)
class Second:
    """The requests that ended in one second of a run; times in milliseconds, 0 where none did."""

    at: int
    requests: int
    failures: int
    p50: float
    p95: float
    users: int
    list_bytes: int


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A whole run, or one kind of its requests. ``rate`` is requests a second, failed ones too."""

    requests: int
    failures: int
    rate: float
    p50: float
    p95: float
    slowest: float
    bytes_each: float


def read(path: Path) -> list[Request]:
    """The lines of a record; one that was cut off, as by a kill, is left out."""
    found: list[Request] = []
    with path.open(newline="") as file:
        for line in csv.DictReader(file):
            try:
                found.append(
                    Request(
                        start=float(line["start"]),
                        kind=line["kind"],
                        milliseconds=float(line["milliseconds"]),
                        size=int(line["bytes"]),
                        users=int(line["users"]),
                        error=line["error"],
                        order=line["order"],
                    )
                )
            except (TypeError, ValueError):
                continue
    return found


def acknowledged(requests: Iterable[Request]) -> set[str]:
    """Ids of the orders that the shop took on."""
    return {request.order for request in requests if request.order}


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that is no less than ``share`` of all; 0 of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def seconds(requests: Sequence[Request], began: float) -> list[Second]:
    """The run second by second from ``began``, those in which nothing ended too."""
    if not requests:
        return []
    ended: dict[int, list[Request]] = {}
    for request in requests:
        ended.setdefault(int(request.end - began), []).append(request)
    line: list[Second] = []
    users = 0
    for at in range(max(ended) + 1):
        these = ended.get(at, [])
        times = [request.milliseconds for request in these]
        users = max((request.users for request in these), default=users)
        line.append(
            Second(
                at=at,
                requests=len(these),
                failures=sum(bool(request.error) for request in these),
                p50=percentile(times, 0.5),
                p95=percentile(times, 0.95),
                users=users,
                list_bytes=max(
                    (r.size for r in these if r.kind == "list" and not r.error), default=0
                ),
            )
        )
    return line


def summary(requests: Sequence[Request]) -> Summary:
    """Figures of all these requests together."""
    times = [request.milliseconds for request in requests]
    length = max((r.end for r in requests), default=0) - min((r.start for r in requests), default=0)
    return Summary(
        requests=len(requests),
        failures=sum(bool(request.error) for request in requests),
        rate=len(requests) / length if length else 0.0,
        p50=percentile(times, 0.5),
        p95=percentile(times, 0.95),
        slowest=max(times, default=0.0),
        bytes_each=sum(r.size for r in requests) / len(requests) if requests else 0.0,
    )


def by_kind(requests: Sequence[Request]) -> dict[str, Summary]:
    """:func:`summary` of each kind that occurs, in the order of :data:`KINDS`."""
    return {
        kind: summary(those)
        for kind in KINDS
        if (those := [request for request in requests if request.kind == kind])
    }
