"""The addresses, networks and ports of a lab's file, checked as in :mod:`.fields`."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from .fields import echo, text_like

_HOST = r"^[A-Za-z0-9]([A-Za-z0-9.:_-]{0,251}[A-Za-z0-9])?$"
# This machine's, loopback, multicast, and kept for later.
_NOBODYS = [
    IPv4Network(block) for block in ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4")
]
_SWARM_PORTS = (2377, 7946)


def _address(value: str) -> str:
    try:
        return str(IPv4Address(value))
    except ValueError:
        raise ValueError(
            f"{echo(value)} is not an IPv4 address; write one like 192.168.8.12"
        ) from None


def _phone_address(value: str) -> str:
    address = IPv4Address(_address(value))
    if address.is_loopback or address.is_unspecified or address.is_multicast or address.is_reserved:
        raise ValueError(
            f"the other phones cannot reach {address}; give the phone's own address on the "
            "lab's network, and what only this machine uses as ssh: {host, port}"
        )
    return str(address)


def _network(value: str) -> str:
    try:
        network = IPv4Network(value, strict=False)
    except ValueError:
        network = None
    if network is None or "/" not in value:
        raise ValueError(f"{echo(value)} is not a network; write one like 10.20.0.0/16")
    if str(network) != value:
        raise ValueError(f"{echo(value)} is not the start of a network; write {network}")
    for block in _NOBODYS:
        if network.overlaps(block):
            how = "lies in" if network.subnet_of(block) else "holds"
            raise ValueError(
                f"{value} {how} {block}, which no container can have; "
                "choose a private network such as 10.20.0.0/16"
            )
    return value


def _data_path_port(value: int) -> int:
    if value in _SWARM_PORTS:
        raise ValueError(
            f"{value} is Swarm's own port on every phone; choose another, or leave it out for 4789"
        )
    return value


def _host(value: str) -> str:
    if not re.fullmatch(_HOST, value):
        raise ValueError(f"{echo(value)} is neither a host name nor an address")
    return value


_IPV4 = WithJsonSchema({"type": "string", "format": "ipv4"})

Address = Annotated[str, AfterValidator(_address), _IPV4]
PhoneAddress = Annotated[str, AfterValidator(_phone_address), _IPV4]
Network = Annotated[str, AfterValidator(_network), text_like(r"^[0-9]+(\.[0-9]+){3}/[0-9]+$")]
Host = Annotated[str, AfterValidator(_host), text_like(_HOST)]
PortNumber = Annotated[int, Field(ge=1, le=65535)]
# Three in a row are taken.
RegistryPort = Annotated[int, Field(ge=1024, le=65533)]
# As Docker limits it.
DataPathPort = Annotated[
    int,
    Field(ge=1024, le=49151, json_schema_extra={"not": {"enum": [*_SWARM_PORTS]}}),
    AfterValidator(_data_path_port),
]
