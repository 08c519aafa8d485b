"""The shop and its broker as this machine reaches them, found through the lab's own outputs."""

from __future__ import annotations

import base64
import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import partial
from typing import Any

from load_test.accounting import NONE, Account, Book, Depth, book, depth, judge, settle
from operations.errors import OperationError
from operations.labs import Lab

# What barista and kitchen have to make, and their reports that the counter has yet to note.
QUEUES = ("barista-order-queue", "kitchen-order-queue", "counter-order-queue")
STACK = "go_coffee"
ANSWER_SECONDS = 20.0
LIST_SECONDS = 180.0
SETTLE_SECONDS = 90.0


@dataclass(frozen=True, kw_only=True)
class Shop:
    """``api`` and ``broker`` are addresses without a path; ``login`` is the broker's, a secret."""

    api: str
    broker: str
    login: str

    def orders(self) -> Book:
        """All orders ever, as the database has them."""
        return book(json.loads(self._list().read())["orders"])

    def account(self, acknowledged: Set[str], *, lost_earlier: int = 0) -> Account:
        """What became of these orders; waits for up to a minute and a half until that is clear.

        Call it when nobody orders any more. It looks at the first message of each queue and puts
        it back, since that alone tells the number at this moment.
        """
        deadline = time.monotonic() + SETTLE_SECONDS

        def more() -> bool:
            time.sleep(1)
            return time.monotonic() < deadline

        return settle(partial(self._look, acknowledged, lost_earlier), more)

    def _look(self, acknowledged: Set[str], lost_earlier: int) -> Account:
        before = self.depth()
        answer = self._list()
        # The list has begun, so it shows a moment before this one; its rest may take long.
        after = self.depth()
        found = book(json.loads(answer.read())["orders"])
        return judge(acknowledged, found, before=before, after=after, lost_earlier=lost_earlier)

    def depth(self) -> Depth:
        """How many messages the broker has, now."""
        return sum((self._depth_of(queue) for queue in QUEUES), NONE)

    def _depth_of(self, queue: str) -> Depth:
        path = f"/api/queues/%2F/{queue}"
        about = self._ask(self.broker, path)
        one = {"count": 1, "ackmode": "ack_requeue_true", "encoding": "auto"}
        first = self._ask(self.broker, f"{path}/get", one)
        ready = first[0]["message_count"] + 1 if first else 0
        held = about.get("consumer_details") or []
        hands = sum(consumer.get("prefetch_count", 0) for consumer in held)
        # The counter notes what it is handed within moments.
        return depth(ready, 0 if queue == QUEUES[-1] and not ready else hands)

    def _ask(self, base: str, path: str, body: Any = None) -> Any:
        token = base64.b64encode(self.login.encode()).decode()
        headers = {"Authorization": f"Basic {token}"} if base == self.broker else {}
        with ask(f"{base}{path}", body, headers) as answer:
            return json.loads(answer.read())

    def _list(self) -> http.client.HTTPResponse:
        return ask(f"{self.api}/v1/fulfillment-orders", seconds=LIST_SECONDS)


def open_shop(lab: Lab) -> Shop:
    """The shop of this lab.

    Raises:
        OperationError: the lab has none, or it does not answer.
    """
    pages: dict[str, str] = lab.stack.outputs().get("pages") or {}
    secret = lab.configured.secrets.get("RABBITMQ_PASSWORD")
    stack = lab.configured.stacks.get(STACK)
    if "The shop" not in pages or "RabbitMQ" not in pages or secret is None or stack is None:
        raise OperationError(
            f"the lab {lab.stack.name} has no shop: `make up` brings it, where the stack "
            f"{STACK} is configured"
        )
    with ask(f"{pages['The shop']}/reverse-proxy-url") as answer:
        api = json.loads(answer.read())["url"]
    user = stack.variables.get("RABBITMQ_USER", "coffee")
    return Shop(api=api, broker=pages["RabbitMQ"], login=f"{user}:{secret.get_secret_value()}")


def ask(
    url: str,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    seconds: float = ANSWER_SECONDS,
) -> http.client.HTTPResponse:
    """One request; ``body`` is sent as JSON. The answer's head is there, its body is to be read.

    Raises:
        OperationError: no answer, or one that is no success.
    """
    request = urllib.request.Request(  # noqa: S310  the addresses are the lab's own
        url,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **(headers or {})},
    )
    try:
        return urllib.request.urlopen(request, timeout=seconds)  # noqa: S310
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise OperationError(f"{url} gave no answer: {reason}") from None
