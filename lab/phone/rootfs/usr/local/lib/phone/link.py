"""What the network of a phone gives it: an address and, as a rule, a way out.

As on a phone, wlan0 has neither while no network is joined: whoever comes over wifi is cut off.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import profiles
from gi.repository import GLib
from profiles import Settings

# Address with prefix, and gateway: what the network's DHCP gives, as phone-init found it.
LEASE = Path("/run/phone/lease")
DEVICE = "wlan0"


def _ip(*arguments: str) -> str:
    command = ["ip", "-json", "-4", *arguments]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


def leave() -> None:
    """No address and no route, as without a network."""
    _ip("address", "flush", "dev", DEVICE)


def join(settings: Settings, *, has_route: bool) -> None:
    """Take the address that the profile names, or the network's. Not every network has a route."""
    leave()
    address, gateway = LEASE.read_text().split()
    if profiles.text(settings, "ipv4", "method") == "manual":
        first = settings["ipv4"]["address-data"].unpack()[0]
        address = f"{first['address']}/{first['prefix']}"
        gateway = profiles.text(settings, "ipv4", "gateway")
    elif not has_route:
        gateway = ""
    _ip("address", "add", address, "broadcast", "+", "dev", DEVICE)
    if gateway:
        # A gateway that the address does not reach is NetworkManager's to complain about, not ours.
        _ip("route", "replace", "default", "via", gateway, "dev", DEVICE, "onlink", "metric", "600")


def addressing(settings: Settings | None = None) -> dict[str, Any]:
    """The IPv4 configuration that wlan0 has, and the name servers that the profile gives."""
    found = json.loads(_ip("address", "show", "dev", DEVICE))
    routes = json.loads(_ip("route", "show", "default", "dev", DEVICE) or "[]")
    servers = (settings or {}).get("ipv4", {}).get("dns-data")
    return {
        "AddressData": [
            {
                "address": GLib.Variant("s", each["local"]),
                "prefix": GLib.Variant("u", each["prefixlen"]),
            }
            for each in found[0]["addr_info"]
        ],
        "Gateway": next((each["gateway"] for each in routes), ""),
        "NameserverData": [
            {"address": GLib.Variant("s", each)} for each in (servers.unpack() if servers else [])
        ],
    }
