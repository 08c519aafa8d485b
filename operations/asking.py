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
    """The passphrase from the environment, or from the terminal without an echo (secret).

    Raises:
        OperationError: there is none, or the two that were typed differ.
    """
    given = os.environ.get(PASSPHRASE, "")
    if given:
        return given
    if not sys.stdin.isatty():
        raise OperationError(
            f"a passphrase {purpose} is needed: set {PASSPHRASE}, or run this on a terminal"
        )
    given = getpass.getpass(f"Passphrase {purpose}: ")
    if not given:
        raise OperationError("an empty passphrase protects nothing; nothing was done")
    if twice and getpass.getpass("The same again: ") != given:
        raise OperationError("the two passphrases differ; nothing was done")
    return given
