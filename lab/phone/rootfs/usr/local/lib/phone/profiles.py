"""Saved connections as NetworkManager holds them, in one JSON file.

Settings stay GLib variants, for D-Bus clients mind their types; the file holds them in GLib's text
form. It holds wifi passwords, so only root may read it.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from gi.repository import GLib
from radio import Profile

Settings = dict[str, dict[str, GLib.Variant]]

WIRELESS = "802-11-wireless"
SECURITY = "802-11-wireless-security"
SECRETS = ("psk", "wep-key0", "wep-key1", "wep-key2", "wep-key3", "leap-password")
SETTINGS_TYPE = "a{sa{sv}}"


def unfold(variant: GLib.Variant) -> Settings:
    """A settings variant as nested dicts whose values keep their types."""
    settings: Settings = {}
    for i in range(variant.n_children()):
        name = variant.get_child_value(i).get_child_value(0).get_string()
        values = variant.get_child_value(i).get_child_value(1)
        settings[name] = {}
        for j in range(values.n_children()):
            pair = values.get_child_value(j)
            key = pair.get_child_value(0).get_string()
            settings[name][key] = pair.get_child_value(1).get_variant()
    return settings


def without_secrets(settings: Settings) -> Settings:
    """What anyone may read."""
    return {
        name: {key: value for key, value in values.items() if key not in SECRETS}
        for name, values in settings.items()
    }


def only_secrets(settings: Settings) -> Settings:
    """Just the passwords; empty where none is saved."""
    found = {key: value for key, value in settings.get(SECURITY, {}).items() if key in SECRETS}
    return {SECURITY: found} if found else {}


def text(settings: Settings, section: str, key: str) -> str:
    """A string setting; empty where it is not set."""
    value = settings.get(section, {}).get(key)
    return "" if value is None else value.unpack()


def ssid(settings: Settings) -> str:
    """The network's name, which settings hold as bytes."""
    value = settings.get(WIRELESS, {}).get("ssid")
    return "" if value is None else bytes(value.unpack()).decode("utf-8", "replace")


def profile(settings: Settings) -> Profile:
    """What the radio needs to know of a saved connection."""
    connection = settings["connection"]
    autoconnect, priority = connection.get("autoconnect"), connection.get("autoconnect-priority")
    timestamp = connection.get("timestamp")
    return Profile(
        uuid=text(settings, "connection", "uuid"),
        ssid=ssid(settings),
        secured=bool(text(settings, SECURITY, "key-mgmt")),
        psk=text(settings, SECURITY, "psk"),
        autoconnect=autoconnect is None or autoconnect.unpack(),
        priority=0 if priority is None else priority.unpack(),
        timestamp=0 if timestamp is None else timestamp.unpack(),
    )


@dataclass(kw_only=True)
class State:
    """All that a restart of the phone must not lose. Profiles go by uuid."""

    wireless: bool = True
    profiles: dict[str, Settings] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> State | None:
        """None where no state was ever saved."""
        if not path.exists():
            return None
        raw = json.loads(path.read_text())
        kind = GLib.VariantType.new(SETTINGS_TYPE)
        return cls(
            wireless=raw["wireless"],
            profiles={
                uuid: unfold(GLib.Variant.parse(kind, value, None, None))
                for uuid, value in raw["profiles"].items()
            },
        )

    def save(self, path: Path) -> None:
        raw = {
            "wireless": self.wireless,
            "profiles": {
                uuid: GLib.Variant(SETTINGS_TYPE, settings).print_(True)
                for uuid, settings in self.profiles.items()
            },
        }
        new = path.with_suffix(".new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            json.dump(raw, stream, indent=1)
            stream.flush()
            os.fsync(stream.fileno())
        new.rename(path)
