"""Stands for nmcli on a fake phone: profiles and the air around it, in one file of JSON.

Called as ``fake_nmcli.py STATE ARGUMENTS...``. It knows what wifi.sh and wifi_switch.sh ask of it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

SSID, PSK = "802-11-wireless.ssid", "802-11-wireless-security.psk"


class Nmcli:
    """``air`` has each network's password; ``profiles`` their settings by id; ``active`` an id."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "wifi.json"
        self._route = folder / "route"
        self.state: dict[str, Any] = json.loads(self._file.read_text())

    def save(self) -> None:
        self._file.write_text(json.dumps(self.state, indent=1))

    def find(self, name: str) -> str:
        profiles = self.state["profiles"]
        for key, profile in profiles.items():
            if name in (key, profile["connection.id"]):
                return key
        sys.exit(f"Error: {name} - no such connection profile.")

    def add(self, words: list[str]) -> None:
        short = {"con-name": "connection.id", "ssid": SSID, "autoconnect": "connection.autoconnect"}
        pairs = dict(zip(words[::2], words[1::2], strict=True))
        settings = {short.get(key, key): value for key, value in pairs.items()}
        self.state["made"] += 1
        key = f"uuid-{self.state['made']}"
        self.state["profiles"][key] = {"ipv4.method": "auto", **settings, "connection.uuid": key}

    def edit(self, name: str) -> None:
        for line in sys.stdin:
            if line.startswith("set "):
                _, setting, value = line.rstrip("\n").split(" ", 2)
                self.state["profiles"][self.find(name)][setting] = value

    def show(self, name: str, fields: str) -> None:
        profile = self.state["profiles"][self.find(name)]
        for field in fields.split(","):
            print(profile.get(field, ""))

    def up(self, name: str) -> None:
        key = self.find(name)
        profile, air = self.state["profiles"][key], self.state["air"]
        if profile[SSID] not in air:
            sys.exit("Error: Connection activation failed: The Wi-Fi network could not be found")
        if air[profile[SSID]] != profile.get(PSK, ""):
            self.state["active"] = None
            self.save()
            sys.exit("Error: Connection activation failed: Secrets were required, but not provided")
        self.state["active"] = key
        leads_nowhere = profile[SSID] in self.state["no_route"]
        self._route.write_text("" if leads_nowhere else "default via 192.168.8.1\n")

    def delete(self, name: str) -> None:
        key = self.find(name)
        del self.state["profiles"][key]
        if self.state["active"] == key:
            self.state["active"] = None

    def listed(self, fields: str) -> None:
        for key, profile in self.state["profiles"].items():
            shown = {
                "UUID": key,
                "NAME": profile["connection.id"],
                "TYPE": "802-11-wireless",
                "DEVICE": "wlan0" if key == self.state["active"] else "",
            }
            print(":".join(shown[field] for field in fields.split(",")))


def connection(nmcli: Nmcli, words: list[str], fields: str) -> None:
    match words:
        case ["show"] | ["show", "--active"]:
            nmcli.listed(fields)
        case ["show", name]:
            nmcli.show(name, fields)
        case ["add", "type", "wifi", "ifname", "wlan0", *rest]:
            nmcli.add(rest)
        case ["edit", name]:
            nmcli.edit(name)
        case ["modify", name, *rest]:
            changes = dict(zip(rest[::2], rest[1::2], strict=True))
            nmcli.state["profiles"][nmcli.find(name)].update(changes)
        case ["up", name]:
            nmcli.up(name)
        case ["delete", name]:
            nmcli.delete(name)
        case _:
            sys.exit(f"Error: {words} is not faked")
    nmcli.save()


def main(folder: str, words: list[str]) -> None:
    nmcli = Nmcli(Path(folder))
    fields = ""
    while words and words[0].startswith("-"):
        option = words.pop(0)
        if option in ("-e", "--wait", "-f", "-g"):
            fields = words.pop(0)
    match words:
        case ["radio", "wifi", *_]:
            print("enabled")
        case ["device", "status"]:
            print("wlan0:wifi:connected")
        case ["device", "wifi", "list", *_]:
            print("\n".join(nmcli.state["air"]))
        case _:
            connection(nmcli, words[1:], fields)


main(sys.argv[1], sys.argv[2:])
