"""Answers that several resources of one run want: asked once, kept for moments.

Pulumi's provider process serves all resources of a run, each in a thread, and ends with the run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeVar, cast

T = TypeVar("T")


@dataclass(kw_only=True)
class _Answer:
    """What was answered last; an error is an answer too. Who asks meanwhile waits at the lock."""

    lock: Lock = field(default_factory=Lock)
    value: Any = None
    error: Exception | None = None
    expires: float = 0.0


_answers: dict[Hashable, _Answer] = {}
_book = Lock()


def once(key: Hashable, make: Callable[[], T], seconds: float) -> T:
    """``make()``, or what it returned or raised for ``key`` within the last ``seconds``.

    Threads that ask at the same time wait for one call. ``key`` says all that the answer depends
    on, the question included.
    """
    with _book:
        answer = _answers.setdefault(key, _Answer())
    with answer.lock:
        if time.monotonic() >= answer.expires:
            answer.value, answer.error = None, None
            try:
                answer.value = make()
            except Exception as error:  # noqa: BLE001 - raised again below, for each who asks
                answer.error = error
            answer.expires = time.monotonic() + seconds
        if answer.error is not None:
            raise answer.error
        return cast(T, answer.value)


def forget(key: Hashable) -> None:
    """The next :func:`once` with ``key`` asks anew: for whoever has changed what it asks about."""
    with _book:
        _answers.pop(key, None)
