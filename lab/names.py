"""What a lab called NAME consists of: names, addresses and ports. Nothing here touches the machine.

A lab owns one subnet 10.213.X.0/24 and one loopback address 127.0.0.X' so that several labs run
beside each other with the same port numbers.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

from lab.errors import LabError

LABEL = "cloudlet.lab"
PHONE_LABEL = "cloudlet.phone"
KIND_LABEL = "cloudlet.kind"
USER = "cloudlet"
MOST_PHONES = 99
REGISTRY_PORT = 5000
# Where the registry is pushed to, on the lab's loopback address.
REGISTRY_PUSH_PORT = 5099
# Published by phone-1: shop API, shop page, Portainer, its tunnel, RabbitMQ's page.
ENTRY_PORTS = (5000, 8888, 9000, 8000, 15672)

_FIRST_SSH_PORT = 2200
_FIRST_PHONE_HOST = 10
_WELL_KNOWN = {"dev": 1, "test": 2}
_NAME = re.compile(r"[a-z][a-z0-9-]{0,19}")


@dataclass(frozen=True, kw_only=True)
class Phone:
    """One simulated phone. `ports` maps ports of the lab's loopback address to the phone's own."""

    name: str
    container: str
    volume: str
    address: str
    ports: dict[int, int]

    @property
    def ssh_port(self) -> int:
        return next(outside for outside, inside in self.ports.items() if inside == 22)


@dataclass(frozen=True, kw_only=True)
class Lab:
    """A lab by its name; raises LabError for a name that can't be one."""

    name: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise LabError(
                f"lab name {self.name!r}: use 1 to 20 of a-z, 0-9 and -, beginning with a letter"
            )

    @property
    def index(self) -> int:
        """1 for dev, 2 for test; other names get 3 to 252 from their checksum."""
        return _WELL_KNOWN.get(self.name) or 3 + zlib.crc32(self.name.encode()) % 250

    @property
    def network(self) -> str:
        return f"cloudlet-{self.name}"

    @property
    def subnet(self) -> str:
        return f"10.213.{self.index}.0/24"

    @property
    def loopback(self) -> str:
        return "127.0.0.1" if self.index == 1 else f"127.0.0.{self.index}"

    @property
    def registry(self) -> str:
        return f"{self.network}-registry"

    @property
    def registry_address(self) -> str:
        return f"10.213.{self.index}.2"

    @property
    def mirror(self) -> str:
        """The registry as a phone reaches it."""
        return f"http://{self.registry_address}:{REGISTRY_PORT}"

    @property
    def push_host(self) -> str:
        """The registry as this machine reaches it."""
        return f"{self.loopback}:{REGISTRY_PUSH_PORT}"

    def phone(self, number: int) -> Phone:
        if not 1 <= number <= MOST_PHONES:
            raise LabError(f"a lab has 1 to {MOST_PHONES} phones, not {number}")
        container = f"{self.network}-phone-{number}"
        ports = {_FIRST_SSH_PORT + number: 22}
        if number == 1:
            ports |= {port: port for port in ENTRY_PORTS}
        return Phone(
            name=f"phone-{number}",
            container=container,
            volume=f"{container}-docker",
            address=f"10.213.{self.index}.{_FIRST_PHONE_HOST + number}",
            ports=ports,
        )

    def phone_named(self, name: str) -> Phone:
        match = re.fullmatch(r"phone-([1-9][0-9]?)", name)
        if match is None:
            raise LabError(f"{name!r} is no phone of the lab: they are phone-1, phone-2, ...")
        return self.phone(int(match[1]))

    def phones(self, count: int) -> list[Phone]:
        if not 1 <= count <= MOST_PHONES:
            raise LabError(f"a lab has 1 to {MOST_PHONES} phones, not {count}")
        return [self.phone(number) for number in range(1, count + 1)]
