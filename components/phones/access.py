"""Becoming root on a phone: by sudo, sudo-rs or doas, with or without a password to ask.

postmarketOS had each of the three in turn; where it has doas, ``sudo`` is a shim that knows few
options and hands no password on.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Literal

from components.remote import shell
from components.remote.ssh import PhoneError, Result, Session
from components.remote.terminal import answer

# Only a real sudo knows -V.
_LOOK = (
    "if sudo -V >/dev/null 2>&1; then echo sudo; "
    "elif command -v doas >/dev/null; then echo doas; else echo none; fi; "
    f"if {shell.AS_ROOT}true >/dev/null 2>&1; then echo free; else echo asks; fi"
)
_NOT_ALLOWED = re.compile("(?i)not in the sudoers|not allowed|not permitted|may not run")
_REFUSED = re.compile("(?i)try again|incorrect|authentication fail|authorization fail")


@dataclass(frozen=True, kw_only=True)
class Root:
    """How this user becomes root, and whether that asks for a password."""

    tool: Literal["sudo", "doas"]
    asks: bool


def look(session: Session) -> Root:
    """How root is had on this phone.

    Raises:
        PhoneError: it has neither sudo nor doas.
    """
    words = session.run(_LOOK).stdout.split()
    if "sudo" not in words and "doas" not in words:
        raise PhoneError(
            f"{session.host.name}: neither sudo nor doas is there; install one on the phone"
        )
    return Root(tool="sudo" if "sudo" in words else "doas", asks="free" not in words)


def check(session: Session, password: str) -> None:
    """Sees that this user can become root; nothing is changed on the phone.

    Raises:
        PhoneError: he cannot, with ``password`` or without.
    """
    root = look(session)
    if root.asks:
        _as_root(session, root, password, "true")


def open_up(session: Session, password: str) -> None:
    """Root asks this user nothing from now on. ``password`` is used if need be, and last here.

    Raises:
        PhoneError: the user cannot become root, or still cannot without the password.
    """
    root = look(session)
    if not root.asks:
        return
    host = session.host
    line = shlex.join(["sh", "-c", shell.text("root_rule.sh"), "sh", root.tool, host.user])
    told = _as_root(session, root, password, line).stdout
    if look(session).asks:
        raise PhoneError(
            f"{host.name}: {root.tool} still asks for a password although {told} allows "
            f"{host.user} to do without; does another rule come after it?"
        )


def _as_root(session: Session, root: Root, password: str, line: str) -> Result:
    name, user = session.host.name, session.host.user
    if not password:
        raise PhoneError(
            f"{name}: becoming root asks for a password and none is configured; "
            "set it with `pulumi config set --secret password`"
        )
    result = answer(session, f"{root.tool} {line}", password)
    if result.status == 0:
        return result
    if _NOT_ALLOWED.search(result.stdout):
        raise PhoneError(
            f"{name}: {user} may not become root with {root.tool}; "
            "allow it on the phone, there usually by membership of group wheel"
        )
    if _REFUSED.search(result.stdout):
        raise PhoneError(f"{name}: {root.tool} does not accept the password for {user}")
    raise PhoneError(f"{name}: {root.tool}: {result.stdout or 'it failed without a word'}")
