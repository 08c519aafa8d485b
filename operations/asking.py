"""Questions to the person at the terminal: before what cannot be undone, and for a passphrase."""

from __future__ import annotations

import getpass
import os
import sys

from .errors import OperationError

PASSPHRASE = "CLOUDLET_BACKUP_PASSPHRASE"


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
    if input("Type yes to go on: ").strip().lower() != "yes":
        raise OperationError("nothing was done")


def passphrase(purpose: str, *, twice: bool = False) -> str:
    """The backup's passphrase, as :func:`secret` gets one."""
    return secret(PASSPHRASE, f"a passphrase {purpose}", twice=twice)


def secret(variable: str, what: str, *, twice: bool = False) -> str:
    """What the environment's ``variable`` holds, or what is typed on a terminal without an echo.

    Raises:
        OperationError: there is none, or the two that were typed differ.
    """
    given = os.environ.get(variable, "")
    if given:
        return given
    if not sys.stdin.isatty():
        raise OperationError(f"{what} is needed: set {variable}, or run this on a terminal")
    given = getpass.getpass(f"{what[0].upper()}{what[1:]}: ")
    if not given:
        raise OperationError(f"nothing was typed for {what}; nothing was done")
    if twice and getpass.getpass("The same again: ") != given:
        raise OperationError("the two differ; nothing was done")
    return given


def answer(question: str, default: str) -> str:
    """What is typed on a terminal; ``default`` for an empty line, and where nobody is there."""
    if not sys.stdin.isatty():
        return default
    return input(f"{question} [{default or 'none'}] ").strip() or default
