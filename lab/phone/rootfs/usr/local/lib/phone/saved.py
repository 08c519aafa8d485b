"""The saved connections on the bus: added, changed, read and deleted as nmcli does it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import profiles
import tables as t
from bus import Bus, BusError
from gi.repository import GLib
from profiles import Settings, State
from radio import Profile


class Saved:
    """All profiles, by uuid. `on_change` gets the uuid of one added, changed or deleted."""

    def __init__(self, bus: Bus, file: Path, on_change: Callable[[str], None]) -> None:
        self._bus = bus
        self._file = file
        self._on_change = on_change
        self._paths: dict[str, str] = {}
        self._counter = 0
        known = State.load(file)
        self.state = known or State()
        bus.add(
            t.SETTINGS,
            {t.I_SETTINGS: t.properties(t.I_SETTINGS)},
            {
                "ListConnections": lambda _: (list(self._paths.values()),),
                "GetConnectionByUuid": self._by_uuid,
                "AddConnection": lambda _, new: (self.path(self.add(profiles.unfold(new))),),
                "AddConnection2": lambda _, new, *_more: (
                    self.path(self.add(profiles.unfold(new))),
                    {},
                ),
            },
        )
        for each in self.state.profiles:
            self._export(each)
        if known is None:
            self.add(first_profile())

    def save(self) -> None:
        self.state.save(self._file)

    def all(self) -> list[Profile]:
        return [profiles.profile(each) for each in self.state.profiles.values()]

    def get(self, key: str) -> Profile | None:
        settings = self.state.profiles.get(key)
        return None if settings is None else profiles.profile(settings)

    def settings(self, key: str) -> Settings:
        return self.state.profiles[key]

    def name(self, key: str) -> str:
        return profiles.text(self.state.profiles[key], "connection", "id")

    def path(self, key: str) -> str:
        return self._paths[key]

    def at(self, path: str) -> str:
        """The uuid of the profile at a D-Bus path."""
        for key, each in self._paths.items():
            if each == path:
                return key
        raise BusError(f"{t.NAME}.UnknownConnection", f"Connection '{path}' does not exist")

    def add(self, settings: Settings) -> str:
        connection = settings.setdefault("connection", {})
        connection.setdefault("uuid", GLib.Variant("s", str(uuid.uuid4())))
        key = connection["uuid"].unpack()
        if key in self.state.profiles:
            raise BusError(f"{t.I_SETTINGS}.UuidExists", "a connection with this UUID exists")
        self.state.profiles[key] = settings
        self.save()
        path = self._export(key)
        self._bus.signal(t.SETTINGS, t.I_SETTINGS, "NewConnection", path)
        self._on_change(key)
        return key

    def set_value(self, key: str, section: str, name: str, value: GLib.Variant) -> None:
        self.state.profiles[key].setdefault(section, {})[name] = value
        self.save()
        self._bus.signal(self.path(key), t.I_PROFILE, "Updated")

    def _export(self, key: str) -> str:
        self._counter += 1
        path = self._paths[key] = f"{t.SETTINGS}/{self._counter}"
        handlers: dict[str, Callable[..., Any]] = {
            "GetSettings": lambda _: (profiles.without_secrets(self.state.profiles[key]),),
            "GetSecrets": lambda _, _name: (profiles.only_secrets(self.state.profiles[key]),),
            "Update": lambda _, new: self._replace(key, profiles.unfold(new)),
            "Update2": lambda _, new, *_more: (self._replace(key, profiles.unfold(new)) or {},),
            "Save": lambda _: None,
            "Delete": lambda _: self._delete(key),
        }
        self._bus.add(path, {t.I_PROFILE: t.properties(t.I_PROFILE)}, handlers)
        self._list()
        return path

    def _replace(self, key: str, settings: Settings) -> None:
        # An update without any settings saves what is there (`connection edit`, then `save`).
        if settings:
            if not profiles.only_secrets(settings):
                # As NetworkManager: an update that names no secret keeps those that it has.
                old = profiles.only_secrets(self.state.profiles[key])
                if profiles.SECURITY in settings:
                    settings[profiles.SECURITY].update(old.get(profiles.SECURITY, {}))
            self.state.profiles[key] = settings
        self.save()
        self._bus.signal(self.path(key), t.I_PROFILE, "Updated")
        self._on_change(key)

    def _delete(self, key: str) -> None:
        path = self._paths.pop(key)
        del self.state.profiles[key]
        self.save()
        self._list()
        self._on_change(key)
        self._bus.signal(path, t.I_PROFILE, "Removed")
        self._bus.signal(t.SETTINGS, t.I_SETTINGS, "ConnectionRemoved", path)
        self._bus.remove(path)

    def _list(self) -> None:
        self._bus.update(t.SETTINGS, t.I_SETTINGS, Connections=list(self._paths.values()))

    def _by_uuid(self, _sender: str, key: GLib.Variant) -> tuple[str]:
        if key.unpack() not in self._paths:
            raise BusError(f"{t.I_SETTINGS}.InvalidConnection", "no such connection")
        return (self._paths[key.unpack()],)


def first_profile() -> Settings:
    """What a phone has when it is taken out of its box: the campus network, joined once."""
    return {
        "connection": {
            "id": GLib.Variant("s", "ut-public"),
            "type": GLib.Variant("s", profiles.WIRELESS),
        },
        profiles.WIRELESS: {
            "ssid": GLib.Variant("ay", b"ut-public"),
            "mode": GLib.Variant("s", "infrastructure"),
        },
        "ipv4": {"method": GLib.Variant("s", "auto")},
        "ipv6": {"method": GLib.Variant("s", "auto")},
    }
