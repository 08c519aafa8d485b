"""Published ports, short form (``8080:80/tcp``, ranges) and long form."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Literal

from .collapse import collapse
from .model import Port
from .node import Node

Protocol = Literal["tcp", "udp", "sctp"]
_PROTOCOLS: tuple[Protocol, ...] = ("tcp", "udp", "sctp")
_HOW = "write 8080:80, 8080:80/udp, 8000-8003:8000-8003 or the long form with target:"


def ports(nodes: Iterable[Node | None]) -> tuple[Port, ...]:
    """The ports in ascending order of the published one, out of the list in each file.

    Those without one come last, where Swarm puts them once it has chosen a number: any other
    order would show up as a change in the next plan.
    """
    found = collapse(
        nodes, _placed, key=lambda port: port.published or 0, what="port of a published number"
    )
    places: dict[tuple[int, str], Node] = {}
    for port, place in found:
        if port.published is None:
            continue
        first = places.setdefault((port.published, port.protocol), place)
        if first.path != place.path:
            place.problem(f"publishes the same port as {first.path}; remove one of the two")
    return tuple(
        sorted(
            (port for port, _ in found),
            key=lambda port: (port.published or 65_536, port.protocol, port.target),
        )
    )


def _placed(node: Node) -> Iterator[tuple[Port, Node]]:
    for item in node.items():
        for port in [_long(item)] if item.is_mapping else _short(item):
            yield port, item


def _long(node: Node) -> Port:
    fields = node.fields(
        {"target", "published", "protocol", "mode"},
        ignored={"name", "app_protocol"},
        refused={
            "host_ip": "Swarm publishes on all addresses; remove it, and close the port in the "
            "firewall"
        },
    )
    if "target" not in fields:
        node.problem("has no target; write target: and the port inside the container")
    target = fields["target"].integer(minimum=1, maximum=65_535) if "target" in fields else 1
    published = fields["published"].integer(maximum=65_535) if "published" in fields else 0
    protocol: Protocol = fields["protocol"].choice(*_PROTOCOLS) if "protocol" in fields else "tcp"
    return Port(
        target=target,
        published=published or None,
        protocol=protocol,
        mode=fields["mode"].choice("ingress", "host") if "mode" in fields else "ingress",
    )


def _short(node: Node) -> Iterator[Port]:
    spec = node.scalar()
    if not spec:
        if node.value is None or node.is_text:
            node.problem(f"{node.shown} is not a port; {_HOW}")
        return
    address, _, pair = spec.rpartition(":")
    address, _, host = address.rpartition(":")
    container, slash, protocol_name = pair.partition("/")
    protocol: Protocol | None = "tcp"
    if slash and protocol_name:
        protocol = next((known for known in _PROTOCOLS if known == protocol_name.lower()), None)
    inside, outside = _range(container, 1), _range(host, 0) if host else None
    lengths_fit = (
        host == "" or inside is None or outside is None or len(inside) in (1, len(outside))
    )
    if inside is None or protocol is None or (host and outside is None) or not lengths_fit:
        node.problem(f"{node.shown} is not a port; {_HOW}")
        return
    if address and not _is_address(address):
        node.problem(f"{node.shown} starts with no IP address; {_HOW}")
        return
    if address and not ipaddress.ip_address(address.strip("[]")).is_unspecified:
        node.report.warn(node.path, "Swarm publishes on all addresses, not on the one given")
    if outside is None:
        for target in inside:
            yield Port(target=target, protocol=protocol)
        return
    targets = list(inside) if len(inside) == len(outside) else [inside[0]] * len(outside)
    for target, published in zip(targets, outside, strict=True):
        yield Port(target=target, published=published or None, protocol=protocol)


def _range(text: str, minimum: int) -> range | None:
    first, dash, last = text.partition("-")
    numbers = [first, last] if dash else [first, first]
    if not all(number.isascii() and number.isdigit() and len(number) < 8 for number in numbers):
        return None
    start, stop = int(numbers[0]), int(numbers[1])
    return range(start, stop + 1) if minimum <= start <= stop <= 65_535 else None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text[1:-1] if text.startswith("[") and text.endswith("]") else text)
    except ValueError:
        return False
    return True
