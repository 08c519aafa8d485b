"""A way to the first manager that answers: the ``ProxyCommand`` of the docker provider's ssh.

``python3 components/dial.py SWARM USER KEYFILE HOST,PORT,HOSTKEY…`` joins its standard input and
output to the SSH server of one of the managers: the first that shows the host key that is known of
it and manages the swarm with that id. So the provider, which knows one address only, goes on when
that phone is off, demoted or gone.

It runs once for every connection: it needs the standard library alone, whichever Python there is,
and what was found out a moment ago is not asked again.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import select
import shlex
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

CONNECT_SECONDS = 5.0
CHECK_SECONDS = 20.0
# The next manager is asked when the one before it has been silent for so long.
PATIENCE_SECONDS = 1.0
# How often a connection looks whether its manager still is one.
LOOK_SECONDS = 1.0
ELECTION_SECONDS = 20.0
# Within one run nothing changes unseen but a manager that dies, and that is seen on dialling.
FRESH_SECONDS = 20.0
QUESTION = "{{.Swarm.ControlAvailable}} {{with .Swarm.Cluster}}{{.ID}}{{end}}"
# How long others are told of a lost majority without asking again themselves.
LOST_SECONDS = 10.0
LEADERLESS = "has no leader"
NO_ANSWER = "no manager of the swarm answers"
MAJORITY_LOST = "the swarm has lost the majority of its managers"
WAYS_OUT = (
    "Start the managers that are off; if they are lost for good, `make recover PHONE=…` lets one "
    "that is left go on alone"
)


def forget(swarm: str) -> None:
    """Makes every running and later dialler of this user look for a manager of the swarm anew.

    For whoever takes a manager its role: connections to it outlive that, and are refused orders.
    """
    with contextlib.suppress(OSError):
        (_folder() / f"{swarm}.epoch").write_text(str(time.time_ns()), encoding="ascii")


def main(swarm: str, user: str, key_file: str, managers: Sequence[str]) -> None:
    """Joins a manager to standard input and output until either side ends."""
    epoch = _epoch(swarm)
    connection = _remembered(swarm, managers) or _found(swarm, user, key_file, managers)
    _join(connection, lambda: _epoch(swarm) == epoch)


def no_answer(reasons: Iterable[str], *, leaderless: bool) -> str:
    """Why no manager speaks for the swarm, and what to do about it where that is known."""
    why = "; ".join(reasons)
    return f"{MAJORITY_LOST}: {why}. {WAYS_OUT}" if leaderless else f"{NO_ANSWER}: {why}"


def place_of(manager: str) -> tuple[str, int]:
    """Host and port of ``HOST,PORT,HOSTKEY``."""
    host, port, _ = manager.split(",")
    return host, int(port)


def _remembered(swarm: str, managers: Sequence[str]) -> socket.socket | None:
    """A connection to the manager that was found a moment ago, if there is one and it answers."""
    manager = _recall(swarm, managers, "manager", FRESH_SECONDS)
    if manager in managers:
        with contextlib.suppress(OSError):
            return socket.create_connection(place_of(manager), CONNECT_SECONDS)
    return None


def _found(swarm: str, user: str, key_file: str, managers: Sequence[str]) -> socket.socket:
    """A connection to the first manager that manages the swarm.

    Raises:
        SystemExit: none does; with each one's reason.
    """
    with _one_at_a_time(swarm):
        # Whoever waited here finds what the one before it has found.
        remembered = _remembered(swarm, managers)
        if remembered:
            return remembered
        lost = _recall(swarm, managers, "lost", LOST_SECONDS)
        if lost:
            sys.exit(lost)
        deadline = time.monotonic() + ELECTION_SECONDS
        while True:
            epoch = _epoch(swarm)
            manager, reasons = _first(swarm, user, key_file, managers)
            if manager:
                with contextlib.suppress(OSError):
                    connection = socket.create_connection(place_of(manager), CONNECT_SECONDS)
                    _remember(swarm, managers, "manager", epoch, manager)
                    return connection
            leaderless = any(reason.endswith(LEADERLESS) for reason in reasons)
            if time.monotonic() > deadline or not leaderless:
                why = no_answer(reasons, leaderless=leaderless)
                if leaderless:
                    _remember(swarm, managers, "lost", epoch, why)
                sys.exit(why)
            time.sleep(1)


def _first(
    swarm: str, user: str, key_file: str, managers: Sequence[str]
) -> tuple[str | None, list[str]]:
    """The first of ``managers`` that manages the swarm, and why those before it do not."""
    asked: dict[Future[str], str] = {}
    reasons: list[str] = []

    def answered(seconds: float | None) -> str | None:
        done, _ = wait(set(asked), timeout=seconds, return_when=FIRST_COMPLETED)
        for future in [future for future in asked if future in done]:
            manager = asked.pop(future)
            if not future.result():
                return manager
            reasons.append(f"{':'.join(manager.split(',')[:2])}: {future.result()}")
        return None

    pool = ThreadPoolExecutor(len(managers))
    try:
        for manager in managers:
            asked[pool.submit(_problem, swarm, user, key_file, manager)] = manager
            found = answered(PATIENCE_SECONDS)
            if found:
                return found, reasons
        while asked:
            found = answered(None)
            if found:
                return found, reasons
        return None, reasons
    finally:
        pool.shutdown(wait=False)


def _problem(swarm: str, user: str, key_file: str, manager: str) -> str:
    """Why this manager does not speak for the swarm; empty if it does."""
    host, port, key = manager.split(",")
    command = ["ssh", "-l", user, "-p", port]
    for option in ssh_options(key_file, [key]):
        command += ["-o", option]
    command += ["-o", f"ConnectTimeout={CONNECT_SECONDS:.0f}", "-T", "--", host]
    command.append(shlex.join(["docker", "info", "--format", QUESTION]))
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=CHECK_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {CHECK_SECONDS:.0f} s"
    except OSError as error:
        return f"ssh cannot be run here: {error}"
    manages, _, found = done.stdout.strip().partition(" ")
    if done.returncode != 0:
        return "; ".join(done.stderr.split("\n")).strip("; ") or f"status {done.returncode}"
    if manages != "true":
        return "is not a manager"
    if not found:
        return LEADERLESS
    return "" if found == swarm else f"manages another swarm ({found})"


def ssh_options(key_file: str, host_keys: Sequence[str]) -> list[str]:
    """Options for the ``ssh`` command: this key, these host keys, nothing of the user's own.

    ``host_keys`` are base64 of ed25519 keys. They come from a command, so that no file has to be
    written and taken away again (OpenSSH 8.5 and newer); ssh puts the host's name for ``%H``.
    """
    lines = " ".join(f'"%H ssh-ed25519 {key}"' for key in host_keys)
    return [
        f"IdentityFile={key_file}",
        "IdentitiesOnly=yes",
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        "UserKnownHostsFile=/dev/null",
        "GlobalKnownHostsFile=/dev/null",
        f'KnownHostsCommand=/usr/bin/env printf "%%s\\n" {lines}',
        "ServerAliveInterval=15",
    ]


def _join(connection: socket.socket, current: Callable[[], bool]) -> None:
    """Copies both ways until the manager's side ends, or nothing moves and it is not current."""
    connection.settimeout(None)
    ends = [0, connection]
    while True:
        ready, _, _ = select.select(ends, [], [], LOOK_SECONDS)
        if not ready and not current():
            return
        if 0 in ready:
            data = os.read(0, 65536)
            if data:
                connection.sendall(data)
            else:
                ends.remove(0)
                connection.shutdown(socket.SHUT_WR)
        if connection in ready:
            data = connection.recv(65536)
            if not data:
                return
            while data:
                data = data[os.write(1, data) :]


def _folder() -> Path:
    """A folder that only this user can read or write.

    Raises:
        OSError: there is none: somebody else made one of that name.
    """
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    folder = Path(base) / f"cloudlet-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if (stat.S_IFMT(found.st_mode), found.st_uid) != (stat.S_IFDIR, os.getuid()):
        raise PermissionError(folder)
    if found.st_mode & 0o077:
        raise PermissionError(folder)
    return folder


def _memo(swarm: str, managers: Sequence[str], kind: str) -> Path:
    digest = hashlib.sha256("\n".join(managers).encode()).hexdigest()[:16]
    return _folder() / f"{swarm}.{digest}.{kind}"


def _remember(swarm: str, managers: Sequence[str], kind: str, epoch: str, text: str) -> None:
    with contextlib.suppress(OSError):
        memo = _memo(swarm, managers, kind)
        fresh = memo.with_name(f"{memo.name}.{os.getpid()}")
        fresh.write_text(f"{time.time()}\n{epoch}\n{text}", encoding="utf-8")
        fresh.replace(memo)


def _recall(swarm: str, managers: Sequence[str], kind: str, seconds: float) -> str:
    """What was remembered in the last ``seconds``, and in this epoch; else nothing."""
    with contextlib.suppress(OSError, ValueError):
        memo = _memo(swarm, managers, kind).read_text(encoding="utf-8")
        since, epoch, text = memo.split("\n", 2)
        if epoch == _epoch(swarm) and 0 <= time.time() - float(since) < seconds:
            return text
    return ""


def _epoch(swarm: str) -> str:
    try:
        return (_folder() / f"{swarm}.epoch").read_text(encoding="ascii")
    except OSError:
        return ""


@contextlib.contextmanager
def _one_at_a_time(swarm: str) -> Generator[None]:
    """So that of many connections that begin at once one asks and the others are told."""
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError):
            lock = held.enter_context((_folder() / f"{swarm}.lock").open("w", encoding="ascii"))
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    with contextlib.suppress(ConnectionError, KeyboardInterrupt):
        main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
