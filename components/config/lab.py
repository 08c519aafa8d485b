"""A lab as the rest of the program sees it: every default filled in, nothing left to check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from .model import Availability, Cleanup, Engine, Role, Routing, Swarm


@dataclass(frozen=True, kw_only=True)
class Phone:
    """``address`` is a dotted quad on the lab's network, where the other phones reach it.

    ``ssh_host`` and ``ssh_port`` are where this machine reaches its SSH server. ``host_key`` is
    ``ssh-ed25519 AAAA…`` without a comment, or ``None`` where the first contact has to record it.
    """

    name: str
    address: str
    role: Role
    ssh_host: str
    ssh_port: int
    host_key: str | None
    labels: Mapping[str, str]
    availability: Availability


@dataclass(frozen=True, kw_only=True)
class Ssh:
    """``private_key_file`` is absolute if the root was; it need not exist yet."""

    user: str
    private_key_file: Path


@dataclass(frozen=True, kw_only=True)
class Static:
    """What the phones' fixed IPv4 configurations have in common; ``dns`` is never empty."""

    gateway: str
    prefix: int
    dns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Wifi:
    """The network that every phone joins, and those that it must not join again.

    With ``static`` a phone's ``address`` is given to it for good, else DHCP gives it one.
    """

    ssid: str
    password: SecretStr
    forget: tuple[str, ...]
    static: Static | None


@dataclass(frozen=True, kw_only=True)
class Stack:
    """``files`` are the compose files, at least one, each going over those before it.

    They were there when the configuration was read. Paths in any of them start at the folder of
    the first.
    """

    name: str
    files: tuple[Path, ...]
    variables: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Registry:
    """``phone`` is one of the lab's; ``port`` is the first of three in a row."""

    phone: str
    port: int
    cache_mb: int


@dataclass(frozen=True, kw_only=True)
class Lab:
    """One lab. ``phones`` is in natural order of the names: phone-2 comes before phone-10.

    ``password`` (the phones' first one), the wifi's and ``secrets`` are secret, and hide their
    value when printed. ``entry_address`` is where a browser reaches published ports.
    ``lock`` is the file of images' digests, which need not exist yet; ``None`` where the lab wants
    none. ``warnings`` are lines for a person; the lab works all the same.
    """

    phones: Mapping[str, Phone]
    ssh: Ssh
    password: SecretStr | None
    wifi: Wifi | None
    stacks: Mapping[str, Stack]
    lock: Path | None
    secrets: Mapping[str, SecretStr]
    routing: Routing
    entry_address: str
    engine: Engine
    registry: Registry | None
    swarm: Swarm
    token_epoch: int
    cleanup: frozenset[Cleanup]
    warnings: tuple[str, ...]

    @property
    def managers(self) -> tuple[Phone, ...]:
        """Never empty."""
        return tuple(phone for phone in self.phones.values() if phone.role == "manager")

    @property
    def registry_phone(self) -> str:
        """The phone that has the registry; empty where the lab has none."""
        return self.registry.phone if self.registry else ""

    @property
    def workers(self) -> tuple[Phone, ...]:
        return tuple(phone for phone in self.phones.values() if phone.role == "worker")
