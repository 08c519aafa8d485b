"""The folder in which a manager's Docker keeps the swarm: taken from a phone and put onto one."""

from __future__ import annotations

import base64
import binascii

from components.dynamic import checked
from components.remote import shell
from components.remote.ssh import Host, PhoneError, Session, connect

SCRIPT = "swarm_folder.sh"
# Docker stopping with its containers, a slow flash, Docker starting.
SECONDS = 400.0
_ARRIVING = ".cloudlet-swarm.tar.gz"


def take(host: Host) -> bytes:
    """The folder as a gzipped tar (secret), Docker being stopped meanwhile; it runs again after.

    Raises:
        PhoneError: with what failed.
    """
    with connect(host) as session:
        text = _run(session, "take")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error:
        raise PhoneError(f"{host.name}: the copy of the swarm arrived damaged") from None


def put(host: Host, folder: bytes) -> None:
    """Gives the phone, which is in no swarm, the folder of :func:`take`; its Docker runs then.

    Raises:
        PhoneError: with what failed; the phone is in no swarm as before.
    """
    with connect(host) as session:
        line = f'umask 077 && cd && base64 -d >{_ARRIVING} && printf %s "$PWD"'
        text = base64.encodebytes(folder).decode()
        home = checked(session, session.run(line, text, SECONDS))
        _run(session, "put", f"{home}/{_ARRIVING}")


def _run(session: Session, *arguments: str) -> str:
    line = shell.command(*arguments, root=True)
    return checked(session, session.run(line, shell.script(SCRIPT), SECONDS))
