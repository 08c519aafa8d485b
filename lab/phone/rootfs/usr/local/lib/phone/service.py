#!/usr/bin/python3
"""Stands in for NetworkManager on a simulated phone, so that the real nmcli works.

One wifi device, the networks of networks.json, profiles that survive a restart. It decides as
NetworkManager does: a wrong password makes it ask the caller's agent for another and then fail for
want of secrets, a network that is not there is not found, and after a failure the best of the other
profiles is used. What is not simulated says so in its error.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import profiles
import tables as t
from bus import Bus, BusError
from device import A_USER, USER, Device
from gi.repository import Gio, GLib
from saved import Saved

AIR = Path(__file__).parent / "networks.json"
STATE = Path("/var/lib/NetworkManager/stand-in.json")
READY = Path("/run/networkmanager.ready")
AGENT_PATH = "/org/freedesktop/NetworkManager/SecretAgent"
AGENT_INTERFACE = "org.freedesktop.NetworkManager.SecretAgent"
MAY_ASK, ASK_ANEW = 1, 2


class NetworkManager:
    """The manager object of NetworkManager: answers nmcli, owns profiles and device."""

    def __init__(self, connection: Gio.DBusConnection) -> None:
        self._connection = connection
        self._agents: set[str] = set()
        bus = self._bus = Bus(connection, t.ROOT, t.METHODS, t.SIGNALS, self._set)
        self._device: Device | None = None
        version = subprocess.run(["nmcli", "--version"], capture_output=True, text=True, check=True)
        manager = t.properties(
            t.NAME, Devices=[t.DEVICE], AllDevices=[t.DEVICE], Version=version.stdout.split()[-1]
        )
        devices: Callable[..., Any] = lambda _: ([t.DEVICE],)  # noqa: E731
        bus.add(
            t.MANAGER,
            {t.NAME: manager},
            {
                "GetDevices": devices,
                "GetAllDevices": devices,
                "GetPermissions": lambda _: ({},),
                "CheckConnectivity": lambda _: (bus.get(t.MANAGER, t.NAME, "Connectivity"),),
                "state": lambda _: (bus.get(t.MANAGER, t.NAME, "State"),),
                "ActivateConnection": self._activate,
                "AddAndActivateConnection": lambda *call: self._add_and_activate(*call)[:2],
                "AddAndActivateConnection2": self._add_and_activate,
                "DeactivateConnection": self._deactivate,
            },
        )
        register: Callable[..., None] = lambda sender, *_: self._agents.add(sender)  # noqa: E731
        bus.add(
            t.AGENTS,
            {t.I_AGENTS: {}},
            {
                "Register": register,
                "RegisterWithCapabilities": register,
                "Unregister": self._agents.discard,
            },
        )
        self._saved = Saved(bus, STATE, self._changed)
        self._device = Device(bus, self._saved, AIR, self._ask_agent)
        bus.update(t.MANAGER, t.NAME, WirelessEnabled=self._saved.state.wireless)
        self._device.scan()
        self._monitor = Gio.File.new_for_path(str(AIR)).monitor_file(Gio.FileMonitorFlags.NONE)
        self._monitor.connect("changed", self._air_changed)

    def _air_changed(self, _monitor: Any, _file: Any, _other: Any, event: Any) -> None:
        if event == Gio.FileMonitorEvent.CHANGES_DONE_HINT and self._device:
            self._device.scan()

    def _changed(self, key: str) -> None:
        if self._device is not None:
            self._device.changed(key)

    def _set(self, path: str, interface: str, name: str, value: GLib.Variant) -> None:
        self._bus.update(path, interface, **{name: value.unpack()})
        if (interface, name) == (t.NAME, "WirelessEnabled") and self._device:
            self._saved.state.wireless = value.unpack()
            self._saved.save()
            self._device.scan()

    def _activate(
        self, sender: str, connection: GLib.Variant, _device: GLib.Variant, _point: GLib.Variant
    ) -> tuple[str]:
        if not self._saved.state.wireless or self._device is None:
            raise BusError(
                f"{t.NAME}.UnknownDevice",
                "No suitable device found for this connection (device wlan0 not available because "
                "device is not available).",
            )
        return (self._device.activate(self._saved.at(connection.unpack()), sender),)

    def _add_and_activate(
        self,
        sender: str,
        partial: GLib.Variant,
        device: GLib.Variant,
        point: GLib.Variant,
        *_options: GLib.Variant,
    ) -> tuple[str, str, dict[str, Any]]:
        """nmcli's `device wifi connect`: the access point says what the profile leaves out."""
        network = self._device.network_at(point.unpack()) if self._device else None
        if network is None:
            raise BusError(f"{t.NAME}.UnknownDevice", "The access point was not found.")
        settings = profiles.unfold(partial)
        connection = settings.setdefault("connection", {})
        connection.setdefault("id", GLib.Variant("s", network.ssid))
        connection.setdefault("type", GLib.Variant("s", profiles.WIRELESS))
        wireless = settings.setdefault(profiles.WIRELESS, {})
        wireless.setdefault("ssid", GLib.Variant("ay", network.ssid.encode()))
        wireless.setdefault("mode", GLib.Variant("s", "infrastructure"))
        if network.psk is not None:
            security = settings.setdefault(profiles.SECURITY, {})
            security.setdefault("key-mgmt", GLib.Variant("s", "wpa-psk"))
        for family in ("ipv4", "ipv6"):
            settings.setdefault(family, {}).setdefault("method", GLib.Variant("s", "auto"))
        path = self._saved.path(self._saved.add(settings))
        # Adding it may have made the idle device take it up by itself: this try has an agent.
        (active,) = self._activate(sender, GLib.Variant("o", path), device, point)
        return path, active, {}

    def _deactivate(self, _sender: str, active: GLib.Variant) -> None:
        device = self._device
        if device is None or device.current is None or device.current[0] != active.unpack():
            raise BusError(f"{t.NAME}.ConnectionNotActive", "The connection was not active.")
        device.deactivate(USER, A_USER, block=True)

    def _ask_agent(self, sender: str, key: str, answered: Callable[[str | None], None]) -> bool:
        if sender not in self._agents:
            return False
        settings = profiles.without_secrets(self._saved.state.profiles[key])
        path = self._saved.path(key)
        hints = ["psk"]
        request = (settings, path, profiles.SECURITY, hints, MAY_ASK | ASK_ANEW)

        def done(connection: Gio.DBusConnection, result: Gio.AsyncResult) -> None:
            try:
                (answer,) = connection.call_finish(result).unpack()
            except GLib.Error:
                answered(None)
            else:
                answered(answer.get(profiles.SECURITY, {}).get("psk"))

        self._connection.call(
            sender,
            AGENT_PATH,
            AGENT_INTERFACE,
            "GetSecrets",
            GLib.Variant("(a{sa{sv}}osasu)", request),
            GLib.VariantType.new("(a{sa{sv}})"),
            Gio.DBusCallFlags.NONE,
            60_000,
            None,
            done,
        )
        return True


def main() -> None:
    """Serve until the phone is switched off."""
    connection = Gio.bus_get_sync(Gio.BusType.SYSTEM)
    STATE.parent.mkdir(parents=True, exist_ok=True)
    service = NetworkManager(connection)
    Gio.bus_own_name_on_connection(
        connection, t.NAME, Gio.BusNameOwnerFlags.NONE, lambda *_: READY.touch(), None
    )
    GLib.MainLoop().run()
    del service


if __name__ == "__main__":
    main()
