"""Each kind of request alone, as fast as it is answered: what the stand-in services can do."""

from __future__ import annotations

import http.client
import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.plain import ADDRESS
from load_test.record import percentile

CONNECTIONS = 8
SECONDS = 8.0
API, PAGE = 5000, 8888


@dataclass(frozen=True, kw_only=True)
class Speed:
    """``rate`` is answers a second; ``p95`` milliseconds; ``failures`` answers other than 200."""

    rate: float
    p95: float
    failures: int


def speeds() -> dict[str, Speed]:
    """What each service of the plain shop manages, one after the other."""
    asked: Mapping[str, tuple[int, Callable[[], tuple[str, str, str | None]]]] = {
        "web: its page": (PAGE, lambda: ("GET", "/", None)),
        "proxy and product: the menu": (API, lambda: ("GET", "/v1/api/item-types", None)),
        "proxy, counter and database: an order": (API, _order),
    }
    return {name: _hammer(port, request) for name, (port, request) in asked.items()}


def _order() -> tuple[str, str, str | None]:
    body = {
        "commandType": 0,
        "loyaltyMemberId": str(uuid.uuid4()),
        "baristaItems": [{"itemType": item} for item in (5, 4, 0, 2, 3)],
        "kitchenItems": [{"itemType": item} for item in (8, 9, 6, 7)],
    }
    return "POST", "/v1/api/orders", json.dumps(body)


def _hammer(port: int, request: Callable[[], tuple[str, str, str | None]]) -> Speed:
    times: list[float] = []
    failures: list[int] = []
    until = time.monotonic() + SECONDS

    def one() -> None:
        connection = http.client.HTTPConnection(ADDRESS, port, timeout=20)
        while (began := time.monotonic()) < until:
            method, path, body = request()
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            times.append((time.monotonic() - began) * 1000)
            if answer.status != 200:
                failures.append(answer.status)

    threads = [threading.Thread(target=one) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Speed(rate=len(times) / SECONDS, p95=percentile(times, 0.95), failures=len(failures))
