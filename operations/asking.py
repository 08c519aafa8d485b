"""Questions to the person at the terminal: before what cannot be undone, and for a passphrase.

Ctrl-D at any of them is Ctrl-C.
"""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable
from typing import TypeVar

from .errors import OperationError

PASSPHRASE = "CLOUDLET_BACKUP_PASSPHRASE"

Value = TypeVar("Value")


def confirm(question: str, *, yes: bool) -> None:
    """Goes on where the answer is yes: ``yes`` is one given beforehand, for scripts.

    Raises:
        OperationError: the answer is no, or there is nobody to ask.
    """
    print(question, flush=True)
    if yes:
        print("Yes, as given beforehand.", flush=True)
        return
    if not sys.stdin.isatty():
        raise OperationError("nobody is there to answer; YES=1 answers yes beforehand")
    if _typed(input, "Type yes to go on: ").strip().lower() != "yes":
        raise OperationError("nothing was done")


def passphrase(purpose: str, *, twice: bool = False) -> str:
    """The backup's passphrase, as :func:`secret` gets one."""
    return secret(PASSPHRASE, f"a passphrase {purpose}", twice=twice)


def secret(variable: str, what: str, *, twice: bool = False) -> str:
    """What the environment's ``variable`` holds, or what is typed on a terminal without an echo.

    Raises:
        OperationError: there is none.
    """
    given = os.environ.get(variable, "")
    if given:
        return given
    if not sys.stdin.isatty():
        raise OperationError(f"{what} is needed: set {variable}, or run this on a terminal")
    while True:
        given = _typed(getpass.getpass, f"{what[0].upper()}{what[1:]}: ")
        if not given:
            raise OperationError(f"nothing was typed for {what}; nothing was done")
        if not twice or _typed(getpass.getpass, "The same again: ") == given:
            return given
        print("The two differ.", flush=True)


def again(ask: Callable[[], str], read: Callable[[str], Value]) -> Value:
    """What ``read`` makes of an answer; on a terminal, one that it refuses is asked for again.

    Raises:
        OperationError: ``read``'s own, where nobody is there.
    """
    while True:
        said = ask()
        try:
            return read(said)
        except OperationError as error:
            if not sys.stdin.isatty():
                raise
            print(error, flush=True)


def answer(question: str, default: str) -> str:
    """What is typed on a terminal; ``default`` for an empty line, and where nobody is there."""
    if not sys.stdin.isatty():
        return default
    return _typed(input, f"{question} [{default or 'none'}] ").strip() or default


def _typed(ask: Callable[[str], str], prompt: str) -> str:
    try:
        return ask(prompt)
    except (EOFError, KeyboardInterrupt):
        # The terminal is still on the line of the question.
        print(file=sys.stderr)
        raise KeyboardInterrupt from None
