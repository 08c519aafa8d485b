"""What happens to phones in the field: their clock runs wrong, networks come and go."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from lab.docker import Docker
from lab.errors import LabError

# Read by the phone's own stand-ins: lab/phone/rootfs/usr/bin/date and .../lib/phone/service.py.
CLOCK = "/var/lib/phone/clock-offset"
AIR = "/usr/local/lib/phone/networks.json"


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network in the air. An open one has no `password`; `signal` is in percent."""

    ssid: str
    password: str | None = None
    route: bool = True
    signal: int = 70

    def __post_init__(self) -> None:
        if not 1 <= len(self.ssid.encode()) <= 32:
            raise LabError(f"network {self.ssid!r}: a name has 1 to 32 bytes")
        if self.password is not None and not 8 <= len(self.password) <= 63:
            raise LabError(f"network {self.ssid!r}: a password has 8 to 63 characters")
        if not 1 <= self.signal <= 100:
            raise LabError(f"network {self.ssid!r}: the signal is 1 to 100 percent")


def set_clock(docker: Docker, container: str, seconds: int) -> None:
    """The phone's clock differs by `seconds` from this machine's, until someone sets it."""
    _write(docker, container, CLOCK, f"{seconds}\n")


def add_network(docker: Docker, container: str, network: Network) -> None:
    """In the air from now on, in place of one of the same name."""
    others = [each for each in _air(docker, container) if each["ssid"] != network.ssid]
    number = 1 + max((int(each["bssid"][-2:], 16) for each in others), default=0)
    added: dict[str, Any] = {
        "ssid": network.ssid,
        "bssid": f"02:C1:0D:00:00:{number:02X}",
        "frequency": 5180,
        "signal": network.signal,
        "route": network.route,
    }
    if network.password is not None:
        added["psk"] = network.password
    _write(docker, container, AIR, json.dumps([*others, added], indent=1))


def remove_network(docker: Docker, container: str, ssid: str) -> None:
    """Gone; a phone that is on it falls off. Raises LabError if it was not in the air."""
    air = _air(docker, container)
    left = [each for each in air if each["ssid"] != ssid]
    if left == air:
        names = ", ".join(each["ssid"] for each in air) or "none"
        raise LabError(f"no network {ssid!r} is in the phone's air: there are {names}")
    _write(docker, container, AIR, json.dumps(left, indent=1))


def switch_wifi(docker: Docker, container: str, *, on: bool) -> None:
    """The phone's radio. Without it a phone is cut off, as it would be."""
    docker.run("exec", container, "nmcli", "radio", "wifi", "on" if on else "off")


def _air(docker: Docker, container: str) -> list[dict[str, Any]]:
    return json.loads(docker.run("exec", container, "cat", AIR))


def _write(docker: Docker, container: str, path: str, text: str) -> None:
    # Whole or not at all: it is read at any time.
    script = 'cat >"$0.new" && mv "$0.new" "$0"'
    command = ("exec", "--interactive", container, "sh", "-c", script, path)
    docker.run(*command, stdin=text.encode())
