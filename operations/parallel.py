"""Asking many phones at once, for so long and no longer."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import TypeVar, cast

from components.remote.ssh import Host, PhoneError

from .errors import OperationError

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


def first_to_tell(
    managers: Sequence[Host], ask: Callable[[Host, float], T], seconds: float, what: str
) -> tuple[Host, T]:
    """The first manager that gives an answer, and its answer; all are asked at once.

    Raises:
        OperationError: none does, with each one's reason; ``what`` is what nobody tells.
    """

    def told(answers: Answers[str, T]) -> tuple[Host, T] | None:
        for host in managers:
            answer = answers.get(host.name)
            if host.name in answers and not isinstance(answer, PhoneError):
                return host, cast("T", answer)
        return None

    answers = gather(
        {host.name: partial(ask, host, seconds) for host in managers},
        seconds,
        lambda answers: told(answers) is not None,
    )
    found = told(answers)
    if found is None:
        raise OperationError(nobody_tells(what, managers, answers, seconds))
    return found


def nobody_tells(
    what: str, managers: Sequence[Host], answers: Mapping[str, object], seconds: float
) -> str:
    """Why no manager tells ``what``, as a sentence."""
    silent = f"gave no answer within {seconds:.0f} s; is the majority of the managers lost?"
    reasons = [str(answers.get(host.name, f"{host.name}: {silent}")) for host in managers]
    return f"No manager tells {what}" + (f": {'; '.join(reasons)}" if reasons else "")
