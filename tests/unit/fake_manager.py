"""A manager that answers from memory, for the resources beside a stack's services."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from components import external, image, memo, rollout, scale
from components.remote.engine_api import EngineError

ACCESS = {"managers": [], "swarm_id": "s"}


class Manager:
    """Answers by path; what is sent is kept in ``sent``."""

    phone = "phone-1"

    def __init__(self, **answers: Any) -> None:
        self.answers = {"/" + path.replace("__", "/"): answer for path, answer in answers.items()}
        self.sent: list[tuple[str, Any, dict[str, Any]]] = []
        self.log = b""

    def get(self, path: str, **_query: Any) -> Any:
        answer = self.answers.get(path)
        if answer is None:
            raise EngineError(self.phone, 404, f"no such thing: {path}")
        return answer(self) if callable(answer) else answer

    def post(self, path: str, body: Any = None, **query: Any) -> None:
        self.sent.append((path, body, query))

    def request(self, *_arguments: Any) -> bytes:
        """A service's log."""
        return b"\1\0\0\0" + len(self.log).to_bytes(4, "big") + self.log


def talking(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Manager], Manager]]:
    """For a fixture: the resources speak to the manager that is given to what this yields."""
    memo._answers.clear()

    def use(manager: Manager) -> Manager:
        @contextmanager
        def manager_of(_props: Any) -> Iterator[Manager]:
            yield manager

        for module in (external, image, rollout, scale):
            monkeypatch.setattr(module, "manager_of", manager_of)
        return manager

    yield use
    memo._answers.clear()
