"""Are the ports that a lab publishes still free? Asked before anything is started."""

from __future__ import annotations

import contextlib
import errno
import re
import socket
from collections.abc import Iterable
from pathlib import Path

from lab.docker import Docker
from lab.errors import LabError

# The state LISTEN in /proc/net/tcp.
_LISTEN = "0A"
# How docker writes that a port is published on every address.
_ALL = "0.0.0.0"  # noqa: S104  (compared with, never bound)


def require_free(docker: Docker, address: str, ports: Iterable[int]) -> None:
    """Raises LabError with one line for each port that is taken."""
    taken = [port for port in ports if not is_free(address, port)]
    if taken:
        holders = {port: holder(docker, address, port) for port in taken}
        raise LabError(
            "\n".join(
                f"port {address}:{port} is taken by {who}: stop that first"
                for port, who in holders.items()
            )
        )


def is_free(address: str, port: int) -> bool:
    """Could a server listen there now? Raises LabError for an address that is not ours."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise LabError(f"address {address} can't be used on this machine: {error}") from None
    return True


def holder(docker: Docker, address: str, port: int) -> str:
    """Who listens on a TCP port, as well as it can be known."""
    table = docker.try_run("ps", f"--filter=publish={port}", "--format={{.Names}} {{.Ports}}").out
    container = publisher(table, address, port)
    if container:
        return f"the container {container} (docker stop {container})"
    inodes = {
        inode
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for inode in listening_inodes(docker.system.read(table), address, port)
    }
    for process in Path("/proc").glob("[0-9]*"):
        if inodes & _sockets(process):
            name = docker.system.read(f"{process}/comm").strip()
            return f"{name} (process {process.name})"
    return "another program"


def _sockets(process: Path) -> set[str]:
    """The inodes of a process's open sockets; empty where they may not be read."""
    found: set[str] = set()
    try:
        for descriptor in (process / "fd").iterdir():
            # It may be closed by now, as the one that lists this directory is.
            with contextlib.suppress(FileNotFoundError):
                match = re.fullmatch(r"socket:\[(\d+)\]", str(descriptor.readlink()))
                if match:
                    found.add(match[1])
    except OSError:
        pass
    return found


def publisher(table: str, address: str, port: int) -> str | None:
    """The container that publishes a port, from lines of a name and docker's list of its ports."""
    for line in table.splitlines():
        name, _, published = line.partition(" ")
        starts = tuple(f"{each}:{port}->" for each in (address, _ALL))
        if any(each.strip().startswith(starts) for each in published.split(",")):
            return name
    return None


def listening_inodes(table: str, address: str, port: int) -> set[str]:
    """Sockets that listen on `address` or on all, from the text of /proc/net/tcp or tcp6."""
    local = "".join(f"{int(part):02X}" for part in reversed(address.split(".")))
    inodes: set[str] = set()
    for line in table.splitlines()[1:]:
        fields = line.split()
        listens, where = fields[3] == _LISTEN, fields[1].partition(":")
        if listens and int(where[2], 16) == port and (where[0] == local or not where[0].strip("0")):
            inodes.add(fields[9])
    return inodes
