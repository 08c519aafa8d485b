"""Asking many phones at once, for so long and no longer."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

from components.ssh import PhoneError

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


Answers = dict[K, T | PhoneError]


def gather(
    jobs: Mapping[K, Callable[[], T]],
    seconds: float,
    enough: Callable[[Answers[K, T]], bool] = lambda _answers: False,
) -> Answers[K, T]:
    """What each job gave or the sentence why it failed, ``seconds`` from now at the latest.

    It ends when all are done or the answers so far are ``enough``. A job that is not done by then
    is left out and goes on in a thread that does not keep the process alive: a phone that hangs
    must not make a person wait.
    """
    done: queue.SimpleQueue[tuple[K, T | BaseException]] = queue.SimpleQueue()

    def run(key: K, job: Callable[[], T]) -> None:
        try:
            done.put((key, job()))
        except BaseException as error:  # noqa: BLE001  raised again in the thread that asked
            done.put((key, error))

    for key, job in jobs.items():
        threading.Thread(target=run, args=(key, job), daemon=True).start()
    deadline = time.monotonic() + seconds
    answers: Answers[K, T] = {}
    while len(answers) < len(jobs) and not enough(answers):
        try:
            key, result = done.get(timeout=max(deadline - time.monotonic(), 0.001))
        except queue.Empty:
            break
        if isinstance(result, BaseException) and not isinstance(result, PhoneError):
            raise result
        answers[key] = result
    return answers
