"""The ``ssh`` command as a person would type it, with the lab's key and the phone's pinned key."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import NoReturn

from components import dial
from components.remote.ssh import Host

from .errors import OperationError


def become(host: Host, command: Sequence[str] = (), *, terminal: bool) -> NoReturn:
    """Becomes ``ssh`` to the phone: a shell there, or ``command``, whose status is then ours.

    ``terminal`` is whether the command gets one, as a shell does.

    Raises:
        OperationError: the phone's host key is not known yet, or there is no ``ssh`` here.
    """
    line = ssh_command(host, command, terminal=terminal)
    program = _program()
    sys.stdout.flush()
    os.execv(program, line)  # noqa: S606  no shell is wanted


def watch(host: Host, command: Sequence[str]) -> int:
    """Shows what ``command`` on the phone prints; its status, or success where Ctrl-C ends it.

    Raises as :func:`become`.
    """
    line = ssh_command(host, command, terminal=False)
    try:
        return subprocess.run([_program(), *line[1:]], check=False).returncode
    except KeyboardInterrupt:
        return 0


def _program() -> str:
    program = shutil.which("ssh")
    if program is None:
        raise OperationError("ssh is not installed on this machine; install openssh-client")
    return program


def ssh_command(host: Host, command: Sequence[str] = (), *, terminal: bool) -> list[str]:
    """The words of the command; raises OperationError where the host key is not known yet."""
    if not host.host_key:
        raise OperationError(
            f"{host.name} was never contacted, so its host key is not known; "
            "`make up` records it, or write it to phones."
            f"{host.name}.hostKey"
        )
    options = dial.ssh_options(host.key_file, [host.host_key.split()[1]])
    return [
        "ssh",
        *(part for option in options for part in ("-o", option)),
        *("-o", f"ConnectTimeout={dial.CONNECT_SECONDS:.0f}"),
        *("-p", str(host.port), "-l", host.user),
        "-t" if terminal else "-T",
        "--",
        host.host,
        *([shlex.join(command)] if command else []),
    ]
