"""The shop under load: look at the menu, order nine items, list all orders, as people do.

`make load` runs this and judges what it left behind. By hand, after `make ready-load`:

    .venv/bin/locust -f load_test/locustfile.py --host http://127.0.0.1:5000

Host is the shop's API as its page knows it. ``--tags menu orders`` leaves the list of all orders
out: its answer grows with every order ever placed, so it measures the application, not the cluster.
"""

from __future__ import annotations

import csv
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from locust import FastHttpUser, LoadTestShape, between, events, tag, task

DRINKS = (5, 4, 0, 2, 3)
FOOD = (8, 9, 6, 7)
COLUMNS = ("start", "kind", "milliseconds", "bytes", "users", "error", "order")


class Guest(FastHttpUser):
    """Waits one to three seconds between requests, each of the three as likely as the others."""

    wait_time = between(1, 3)
    # Longer than the shop itself waits for anything but its list.
    network_timeout = 60.0
    connection_timeout = 10.0

    @tag("menu")
    @task
    def look_at_the_menu(self) -> None:
        """Every item has a name and a price."""
        with self.client.get("/v1/api/item-types", name="menu", catch_response=True) as answer:
            if answer.status_code != 200:
                answer.failure(f"status {answer.status_code}")
            elif not _is_menu(_json(answer)):
                answer.failure("the answer is no menu")

    @tag("orders")
    @task
    def order(self) -> None:
        """An order under an id of its own, by which it can be found in the database."""
        member = str(uuid.uuid4())
        body = {
            "commandType": 0,
            "orderSource": 0,
            "location": 0,
            "loyaltyMemberId": member,
            "timestamp": datetime.now(UTC).isoformat(),
            "baristaItems": [{"itemType": item} for item in DRINKS],
            "kitchenItems": [{"itemType": item} for item in FOOD],
        }
        with self.client.post(
            "/v1/api/orders",
            json=body,
            name="order",
            context={"order": member},
            catch_response=True,
        ) as answer:
            if answer.status_code != 200:
                answer.failure(f"status {answer.status_code}")
            elif _json(answer) != {}:
                answer.failure("the answer does not acknowledge the order")

    @tag("list")
    @task
    def list_all_orders(self) -> None:
        """Grows without bound: nine lines for each order ever placed."""
        with self.client.get("/v1/fulfillment-orders", name="list", catch_response=True) as answer:
            body = answer.content or b""
            if answer.status_code != 200:
                answer.failure(f"status {answer.status_code}")
            # To read megabytes of JSON in here would slow down all the other guests.
            elif not (body.startswith(b'{"orders":[') and body.rstrip().endswith(b"]}")):
                answer.failure("the answer is no whole list of orders")


class Climb(LoadTestShape):
    """From no user to ``--users`` in even steps over ``--climb`` seconds, then ``--hold``."""

    use_common_options = True

    def tick(self) -> tuple[int, float] | None:
        """Locust asks every second: users wanted and how many to start a second; None ends it."""
        assert self.runner is not None
        options = self.runner.environment.parsed_options
        assert options is not None
        climb, hold, most = float(options.climb), float(options.hold), options.num_users or 1
        elapsed = self.get_run_time()
        if hold and elapsed >= climb + hold:
            return None
        share = min(1.0, (elapsed + 1) / climb) if climb else 1.0
        return max(1, round(most * share)), float(most)


def _json(answer: Any) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _is_menu(body: Any) -> bool:
    items = body.get("itemTypes") if isinstance(body, dict) else None
    return bool(items) and all(item.get("name") and "price" in item for item in items)


@events.init_command_line_parser.add_listener
def _options(parser: Any, **_: Any) -> None:
    parser.add_argument("--climb", type=float, default=60, help="seconds until all users are there")
    parser.add_argument("--hold", type=float, default=0, help="seconds after that; 0: no end")
    parser.add_argument("--record", default="", help="a file for one line for each request")


@events.init.add_listener
def _record(environment: Any, **_: Any) -> None:
    """One line a request into ``--record``, with the order's id where it was acknowledged."""
    name = environment.parsed_options.record if environment.parsed_options else ""
    if not name:
        return
    # Lines must be out when a drill stops the run.
    file = Path(name).open("w", newline="", buffering=1)  # noqa: SIM115  open for the whole run
    lines = csv.writer(file)
    lines.writerow(COLUMNS)

    def note(
        *,
        name: str,
        response_time: float,
        response_length: int,
        exception: BaseException | None,
        context: dict[str, str],
        start_time: float | None = None,
        **_: Any,
    ) -> None:
        started = start_time if start_time is not None else time.time() - response_time / 1000
        lines.writerow(
            [
                f"{started:.3f}",
                name,
                f"{response_time:.1f}",
                response_length,
                environment.runner.user_count if environment.runner else 0,
                "" if exception is None else " ".join(str(exception).split())[:200],
                context.get("order", "") if exception is None else "",
            ]
        )

    environment.events.request.add_listener(note)
    environment.events.quit.add_listener(lambda **_: file.close())
