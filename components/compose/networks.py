"""The file's networks, and each service's place on them."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from .keys import NO_SUCH_KEY
from .model import Attachment, Network
from .names import NAMESPACE_LABEL, external_name
from .node import Node

DEFAULT = "default"
# Docker's own networks know no aliases.
_WITHOUT_ALIASES = frozenset({"bridge", "default", "host", "none"})
_POOL_REFUSED: Mapping[str, str] = dict.fromkeys(
    ("aux_addresses", "gateway", "ip_range"), NO_SUCH_KEY
)
_ATTACHMENT_REFUSED: Mapping[str, str] = dict.fromkeys(
    (
        "gw_priority",
        "interface_name",
        "link_local_ips",
        "mac_address",
        "priority",
        "use_service_name_alias",
    ),
    NO_SUCH_KEY,
)


def networks(entries: Mapping[str, Node], stack: str) -> dict[str, Network]:
    """The file's networks by key, used or not, with ``default`` always among them."""
    found: dict[str, Network] = {}
    for key, entry in entries.items():
        found[key] = _network(key, entry, stack)
    found.setdefault(DEFAULT, Network(name=f"{stack}_{DEFAULT}", labels={NAMESPACE_LABEL: stack}))
    return found


def _network(key: str, node: Node, stack: str) -> Network:
    fields = node.fields(
        {
            "attachable",
            "driver",
            "driver_opts",
            "external",
            "internal",
            "ipam",
            "labels",
            "name",
        },
        refused=dict.fromkeys(("enable_ipv4", "enable_ipv6"), NO_SUCH_KEY),
    )
    outside = external_name(key, fields)
    if outside is not None:
        for name in sorted(fields.keys() - {"external", "name"}):
            node.report.ignore(fields[name].path)
        return Network(name=outside, external=True)
    ipam = (
        fields["ipam"].fields({"driver", "config"}, refused={"options": NO_SUCH_KEY})
        if "ipam" in fields
        else {}
    )
    return Network(
        name=fields["name"].name() if "name" in fields else f"{stack}_{key}",
        driver=fields["driver"].name() if "driver" in fields else "overlay",
        attachable=fields["attachable"].boolean() if "attachable" in fields else False,
        internal=fields["internal"].boolean() if "internal" in fields else False,
        labels=(fields["labels"].string_map() if "labels" in fields else {})
        | {NAMESPACE_LABEL: stack},
        options=fields["driver_opts"].string_map() if "driver_opts" in fields else {},
        subnets=_subnets(ipam["config"]) if "config" in ipam else (),
        ipam_driver=ipam["driver"].name() if "driver" in ipam else None,
    )


def _subnets(node: Node) -> tuple[str, ...]:
    found: list[str] = []
    for item in node.items():
        subnet = item.fields({"subnet"}, refused=_POOL_REFUSED).get("subnet")
        if subnet is None:
            item.problem("has no subnet; write subnet: 10.30.0.0/24 or the like")
            continue
        text = subnet.text()
        try:
            ipaddress.ip_network(text)
        except ValueError:
            subnet.problem(f"{subnet.shown} is not a subnet; write one such as 10.30.0.0/24")
            continue
        found.append(text)
    return tuple(found)


def attachments(
    node: Node | None, service: str, known: Mapping[str, Network]
) -> tuple[Attachment, ...]:
    """The networks of one service, in the order of Swarm's names as the Docker CLI sends them."""
    wanted: dict[str, Node] = {}
    if node is not None and node.is_list:
        wanted = {item.text(): item for item in node.items()}
    elif node is not None:
        wanted = node.entries()
    found: list[Attachment] = []
    for key, place in wanted.items():
        if key not in known:
            if place.value != "":
                shown = place.shown if place.is_text else f'"{key}"'
                place.problem(
                    f"{shown}: the file has no such network; write it at the top level: networks"
                )
            continue
        found.append(_attachment(key, place, service, known[key].name))
    if not wanted:
        found.append(
            Attachment(network=DEFAULT, aliases=_aliases((), service, known[DEFAULT].name))
        )
    return tuple(sorted(found, key=lambda attachment: known[attachment.network].name))


def _attachment(key: str, place: Node, service: str, name: str) -> Attachment:
    fields = (
        place.fields(
            {"aliases", "driver_opts"},
            refused=_ATTACHMENT_REFUSED,
            ignored={"ipv4_address", "ipv6_address"},
        )
        if place.is_mapping
        else {}
    )
    if not (place.is_mapping or place.is_text or place.value is None):
        place.problem(f"must be a mapping, not {place.shown}")
    aliases = fields["aliases"].texts() if "aliases" in fields else ()
    return Attachment(
        network=key,
        aliases=_aliases(aliases, service, name),
        driver_options=fields["driver_opts"].string_map() if "driver_opts" in fields else {},
    )


def _aliases(given: tuple[str, ...], service: str, network: str) -> tuple[str, ...]:
    return given if network in _WITHOUT_ALIASES else (*given, service)
