"""What a backup is: one file, encrypted as `age` does it, with a passphrase.

``age -d FILE | tar -xz`` opens it as well, so that a backup outlives this program.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyrage

from .errors import OperationError

FORMAT = 1
_MAGIC = b"age-encryption.org/v1"
_ABOUT = "backup.json"
_STATE = "state.json"
_SWARM = "swarm.tar.gz"


@dataclass(frozen=True, kw_only=True)
class Backup:
    """A lab at one moment.

    ``phone`` is the manager whose part of the swarm this is, and ``node_id`` who it is there.
    ``state`` is Pulumi's export, its secrets encrypted; ``configuration`` the text of the lab's
    file; ``swarm`` a gzipped tar of Docker's ``swarm`` folder, which holds keys: all of it is
    secret.
    """

    made: datetime
    stack: str
    phone: str
    swarm_id: str
    node_id: str
    configuration: str
    state: Mapping[str, Any]
    swarm: bytes

    @property
    def day(self) -> str:
        """When it was made, for a person."""
        return f"{self.made:%Y-%m-%d %H:%M} UTC"


def file_name(stack: str, made: datetime) -> str:
    """What a backup is called where nobody named it; any file system takes it."""
    return f"{stack}-{made:%Y-%m-%dT%H-%M-%SZ}.tar.gz.age"


@contextmanager
def reserved(file: Path) -> Generator[None]:
    """Makes ``file``, empty and its owner's alone, so that nothing done for it was in vain.

    It is taken away again where the block fails before :func:`write`.

    Raises:
        OperationError: the file is there already or cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600, exist_ok=False)
    except FileExistsError as error:
        raise OperationError(f"{error.filename} is there already; give another FILE") from None
    except OSError as error:
        raise OperationError(f"{file} cannot be written: {error.strerror}") from None
    try:
        yield
    finally:
        if file.exists() and file.stat().st_size == 0:
            file.unlink()


def write(backup: Backup, file: Path, secret: str) -> None:
    """Encrypts the backup with the passphrase ``secret`` into ``file``, which was reserved.

    Raises:
        OperationError: the file cannot be written.
    """
    about = {
        "format": FORMAT,
        "made": backup.made.isoformat(),
        "stack": backup.stack,
        "phone": backup.phone,
        "swarmId": backup.swarm_id,
        "nodeId": backup.node_id,
    }
    members = {
        _ABOUT: json.dumps(about, indent=2).encode(),
        _configuration(backup.stack): backup.configuration.encode(),
        _STATE: json.dumps(backup.state).encode(),
        _SWARM: backup.swarm,
    }
    content = pyrage.passphrase.encrypt(_pack(members, backup.made), secret)
    part = file.with_name(file.name + ".part")
    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600, exist_ok=False)
        part.write_bytes(content)
        part.replace(file)
    except OSError as error:
        raise OperationError(f"{file} cannot be written: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)


def read(file: Path, secret: Callable[[], str]) -> Backup:
    """The backup in ``file``; ``secret`` is asked for the passphrase where it may be one.

    Raises:
        OperationError: there is none, the passphrase is another, or it is of a newer cloudlet.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise OperationError(f"{file} cannot be read: {error.strerror}") from None
    if not content.startswith(_MAGIC):
        raise OperationError(f"{file} is no backup: it is not encrypted with age")
    try:
        plain = pyrage.passphrase.decrypt(content, secret())
    except pyrage.DecryptError:
        raise OperationError(f"{file} does not open with this passphrase, or was damaged") from None
    try:
        return _unpack(plain)
    except (tarfile.TarError, KeyError, ValueError):
        raise OperationError(
            f"{file} is no backup of a lab that this version of cloudlet can read"
        ) from None


def _pack(members: Mapping[str, bytes], made: datetime) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            member.mode = 0o600
            member.mtime = int(made.timestamp())
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def _unpack(packed: bytes) -> Backup:
    members: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as tar:
        for member in tar:
            content = tar.extractfile(member)
            members[member.name] = b"" if content is None else content.read()
    about = json.loads(members[_ABOUT])
    if about["format"] != FORMAT:
        raise ValueError
    return Backup(
        made=datetime.fromisoformat(about["made"]).astimezone(UTC),
        stack=about["stack"],
        phone=about["phone"],
        swarm_id=about["swarmId"],
        node_id=about["nodeId"],
        configuration=members[_configuration(about["stack"])].decode(),
        state=json.loads(members[_STATE]),
        swarm=members[_SWARM],
    )


def _configuration(stack: str) -> str:
    return f"Pulumi.{stack}.yaml"
