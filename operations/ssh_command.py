"""The ``ssh`` command as a person would type it, with the lab's key and the phone's pinned key."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from typing import NoReturn

from components import dial
from components.ssh import Host

from .errors import OperationError


def become(host: Host, command: Sequence[str] = (), *, terminal: bool) -> NoReturn:
    """Becomes ``ssh`` to the phone: a shell there, or ``command``, whose status is then ours.

    ``terminal`` is whether the command gets one, as a shell does.

    Raises:
        OperationError: the phone's host key is not known yet, or there is no ``ssh`` here.
    """
    line = ssh_command(host, command, terminal=terminal)
    program = shutil.which(line[0])
    if program is None:
        raise OperationError("ssh is not installed on this machine; install openssh-client")
    sys.stdout.flush()
    os.execv(program, line)  # noqa: S606  no shell is wanted


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
