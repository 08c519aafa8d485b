"""Stands for nmcli on a fake phone: profiles and the air around it, and the program that asks.

It knows what wifi.sh and wifi_switch.sh ask of it. A test calls it dozens of times, so the program
is a few lines of sh that hand the question to a thread of the test.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

SSID, PSK = "802-11-wireless.ssid", "802-11-wireless-security.psk"
# One question at a time: the answer to one is not to be read by another.
PROGRAM = """
until mkdir "$STATE/asking" 2>/dev/null; do sleep 0.01; done
case $* in *"connection edit"*) input=$(cat) ;; *) input= ;; esac
printf '%s\\0' "$input" "$@" >"$STATE/questions"
{ read -r status; [ "$status" = 0 ] || exec >&2; cat; } <"$STATE/answers"
rmdir "$STATE/asking"
exit "$status"
"""


class NmcliError(Exception):
    """What nmcli says as it fails."""


class Nmcli:
    """``air`` has each network's password; ``profiles`` their settings by id; ``active`` an id.

    ``no_route`` are networks that lead nowhere, ``no_lease`` those that give no address.
    """

    def __init__(self, folder: Path, air: dict[str, str], profiles: dict[str, Any]) -> None:
        self.air = air
        self.profiles = profiles
        self.active: str | None = next(iter(profiles))
        self.no_route: list[str] = []
        self.no_lease: list[str] = []
        self._made = 0
        self._questions, self._answers = folder / "questions", folder / "answers"
        self._route = folder / "route"
        for pipe in (self._questions, self._answers):
            os.mkfifo(pipe)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._questions.write_text("end")
        self._thread.join(10)

    def _serve(self) -> None:
        while (question := self._questions.read_text()) != "end":
            given, *words = question.split("\0")[:-1]
            try:
                answer = "\n".join(["0", *self.ask(words, given), ""])
            except NmcliError as error:
                answer = f"10\nError: {error}\n"
            self._answers.write_text(answer)

    def ask(self, words: list[str], given: str) -> list[str]:
        """The lines that nmcli prints; ``given`` is its standard input."""
        fields = ""
        while words and words[0].startswith("-"):
            option = words.pop(0)
            if option in ("-e", "--wait", "-f", "-g"):
                fields = words.pop(0)
        match words:
            case ["radio", "wifi", *_]:
                return ["enabled"]
            case ["device", "status"]:
                return ["wlan0:wifi:connected"]
            case ["device", "wifi", "list", *_]:
                return [*self.air]
            case ["connection", "show"] | ["connection", "show", "--active"]:
                return self._listed(fields)
            case ["connection", "show", name]:
                profile = self.profiles[self._find(name)]
                return [profile.get(field, "") for field in fields.split(",")]
            case ["connection", task, *rest]:
                self._change(task, rest, given)
                return []
            case _:
                raise NmcliError(f"{words} is not faked")

    def _change(self, task: str, words: list[str], given: str) -> None:
        match task, words:
            case "add", ["type", "wifi", "ifname", "wlan0", *rest]:
                self._add(rest)
            case "edit", [name]:
                self._edit(name, given)
            case "modify", [name, *rest]:
                changes = dict(zip(rest[::2], rest[1::2], strict=True))
                self.profiles[self._find(name)].update(changes)
            case "up", [name]:
                self._up(name)
            case "delete", [name]:
                self._delete(name)
            case _:
                raise NmcliError(f"{task} {words} is not faked")

    def _find(self, name: str) -> str:
        for key, profile in self.profiles.items():
            if name in (key, profile["connection.id"]):
                return key
        raise NmcliError(f"{name} - no such connection profile.")

    def _add(self, words: list[str]) -> None:
        short = {"con-name": "connection.id", "ssid": SSID, "autoconnect": "connection.autoconnect"}
        pairs = dict(zip(words[::2], words[1::2], strict=True))
        settings = {short.get(key, key): value for key, value in pairs.items()}
        self._made += 1
        key = f"uuid-{self._made}"
        self.profiles[key] = {"ipv4.method": "auto", **settings, "connection.uuid": key}

    def _edit(self, name: str, given: str) -> None:
        for line in given.splitlines():
            if line.startswith("set "):
                _, setting, value = line.split(" ", 2)
                self.profiles[self._find(name)][setting] = value

    def _up(self, name: str) -> None:
        key = self._find(name)
        profile = self.profiles[key]
        if profile[SSID] not in self.air:
            raise NmcliError("Connection activation failed: The Wi-Fi network could not be found")
        if self.air[profile[SSID]] != profile.get(PSK, ""):
            self.active = None
            raise NmcliError(
                "Connection activation failed: Secrets were required, but not provided"
            )
        if profile[SSID] in self.no_lease:
            self.active = None
            raise NmcliError(
                "Connection activation failed: IP configuration could not be reserved (no available"
                " address, timeout, etc.)"
            )
        self.active = key
        leads_nowhere = profile[SSID] in self.no_route
        self._route.write_text("" if leads_nowhere else "default via 192.168.8.1\n")

    def _delete(self, name: str) -> None:
        key = self._find(name)
        del self.profiles[key]
        if self.active == key:
            self.active = None

    def _listed(self, fields: str) -> list[str]:
        return [
            ":".join(
                {
                    "UUID": key,
                    "NAME": profile["connection.id"],
                    "TYPE": "802-11-wireless",
                    "DEVICE": "wlan0" if key == self.active else "",
                }[field]
                for field in fields.split(",")
            )
            for key, profile in self.profiles.items()
        ]
