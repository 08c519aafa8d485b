"""SSH keys from text: the one to log in with, and the one a phone must show."""

from __future__ import annotations

import base64
import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import paramiko

_TYPES: Final = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)
_AGENT: Final = "SSH_AUTH_SOCK"
_environment = threading.Lock()


class UnusableKeyError(Exception):
    """A key that cannot be used; the message never holds any of it."""


def private_key(text: str, password: str | None) -> paramiko.PKey:
    """A private key from its text; raises `UnusableKeyError`."""
    for kind in _TYPES:
        try:
            return kind.from_private_key(io.StringIO(text), password=password)
        except paramiko.PasswordRequiredException:
            raise UnusableKeyError(
                "the private key is encrypted: give privateKeyPassword too"
            ) from None
        except Exception:  # noqa: BLE001, S112  paramiko lets many kinds through for another type
            continue
    raise UnusableKeyError("the private key cannot be read (or its password is wrong)")


def host_key(line: str) -> paramiko.PKey:
    """A host's public key from a line as in authorized_keys; raises `UnusableKeyError`."""
    for kind, encoded in zip(line.split(), line.split()[1:], strict=False):
        if kind.startswith(("ssh-", "ecdsa-")):
            try:
                return paramiko.PKey.from_type_string(kind, base64.b64decode(encoded))
            except Exception:  # noqa: BLE001  paramiko lets many kinds through for a broken key
                break
    raise UnusableKeyError("failed to parse host key: it must look like `ssh-ed25519 AAAA...`")


def signatures(key: paramiko.PKey) -> tuple[str, ...]:
    """The algorithms by which a host proves that it holds `key`."""
    if key.get_name() == "ssh-rsa":
        # Today's sshd refuses SHA-1, which is what the plain name stands for.
        return ("rsa-sha2-512", "rsa-sha2-256")
    return (key.get_name(),)


def agent_keys(socket: str | None) -> tuple[paramiko.AgentKey, ...]:
    """The keys of an SSH agent, by default the one of this session; none if it is not there."""
    with _environment, _agent_at(socket):
        return paramiko.Agent().get_keys()


@contextmanager
def _agent_at(socket: str | None) -> Iterator[None]:
    # paramiko knows only the environment's agent.
    before = os.environ.get(_AGENT)
    if socket is not None:
        os.environ[_AGENT] = socket
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_AGENT, None)
        else:
            os.environ[_AGENT] = before
