"""The shop under load: look at the menu, order nine items, list all orders, as people do.

    pip install locust
    locust -f load_test/locustfile.py --host http://127.0.0.1:5000

Host is the shop's API as `make up` prints it. ``--tags menu orders`` leaves the list of all orders
out: its answer grows with every order ever placed, so it measures the application, not the cluster.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from locust import HttpUser, between, tag, task
from locust.clients import ResponseContextManager

DRINKS = (5, 4, 0, 2, 3)
FOOD = (8, 9, 6, 7)


class Guest(HttpUser):
    """Waits one to three seconds between requests, each of the three as likely as the others."""

    wait_time = between(1, 3)

    @tag("menu")
    @task
    def look_at_the_menu(self) -> None:
        """Every item has a name and a price."""
        with self.client.get("/v1/api/item-types", catch_response=True) as answer:
            check(answer, "itemTypes")

    @tag("orders")
    @task
    def order(self) -> None:
        """An order under an id of its own, by which it can be found in the database."""
        body = {
            "commandType": 0,
            "orderSource": 0,
            "location": 0,
            "loyaltyMemberId": str(uuid.uuid4()),
            "timestamp": datetime.now(UTC).isoformat(),
            "baristaItems": [{"itemType": item} for item in DRINKS],
            "kitchenItems": [{"itemType": item} for item in FOOD],
        }
        self.client.post("/v1/api/orders", json=body)

    @tag("list")
    @task
    def list_all_orders(self) -> None:
        """Grows without bound: nine lines for each order ever placed."""
        with self.client.get("/v1/fulfillment-orders", catch_response=True) as answer:
            check(answer, "orders")


def check(answer: ResponseContextManager, key: str) -> None:
    """An answer counts only if it is what was asked for, whatever its status says."""
    if answer.status_code != 200:
        answer.failure(f"status {answer.status_code}")
    elif not isinstance(answer.json().get(key), list):
        answer.failure(f"no list of {key} in the answer")
