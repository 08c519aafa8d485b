"""The wifi device: the air around it and the connection that it has, or tries to get."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import link
import profiles
import tables as t
from bus import Bus
from gi.repository import GLib
from radio import Network, Outcome, attempt, automatic, read_networks
from saved import Saved

# A phone's radio takes seconds: scripts must wait for it, tests need not wait as long.
JOIN_MS, LEAVE_MS = 300, 200

# NetworkManager's numbers: states of a device and their reasons, of an active connection likewise.
UNAVAILABLE, DISCONNECTED, PREPARE, NEED_AUTH, ON, FAILED = 20, 30, 40, 60, 100, 120
NO_REASON, NO_SECRETS, USER, REMOVED, SSID_NOT_FOUND = 0, 7, 39, 38, 53
ACTIVATED, GONE = 2, 4
A_NO_REASON, A_USER, A_DEVICE, A_REMOVED = 1, 2, 3, 11
CCMP_PSK = 0x188

# Asks the agent of `sender` for a profile's password; the answer (None: it has none) goes on.
AskAgent = Callable[[str, str, Callable[[str | None], None]], bool]


class Device:
    """One radio. At most one connection is active or being tried: `current` is (path, uuid)."""

    def __init__(self, bus: Bus, saved: Saved, air: Path, ask_agent: AskAgent) -> None:
        self._bus = bus
        self._saved = saved
        self._air = air
        self._ask_agent = ask_agent
        self._networks: list[Network] = []
        self._points: dict[Network, str] = {}
        self._blocked: set[str] = set()
        self._counter = 0
        self.current: tuple[str, str] | None = None
        mac = Path("/sys/class/net/wlan0/address").read_text().strip().upper()
        link.leave()
        bus.add(t.IP4, {t.I_IP4: t.properties(t.I_IP4)}, {})
        points: Callable[..., Any] = lambda _: (list(self._points.values()),)  # noqa: E731
        bus.add(
            t.DEVICE,
            {
                t.I_DEVICE: t.properties(
                    t.I_DEVICE, Interface="wlan0", IpInterface="wlan0", HwAddress=mac
                ),
                t.I_WIRELESS: t.properties(t.I_WIRELESS, HwAddress=mac, PermHwAddress=mac),
            },
            {
                "Disconnect": lambda _: self.deactivate(USER, A_USER, block=True),
                "GetAccessPoints": points,
                "GetAllAccessPoints": points,
                "RequestScan": lambda *_: self.scan(),
            },
        )

    def scan(self) -> None:
        """Look around; leave a network that is gone, join the best if not connected."""
        self._networks = read_networks(self._air) if self._saved.state.wireless else []
        for each in [known for known in self._points if known not in self._networks]:
            self._bus.remove(self._points.pop(each))
        for each in self._networks:
            if each not in self._points:
                self._add_point(each)
        self._bus.update(
            t.DEVICE,
            t.I_WIRELESS,
            AccessPoints=list(self._points.values()),
            LastScan=int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1000),
        )
        if self._state() == ON and self.current is not None:
            profile = self._saved.get(self.current[1])
            if profile and attempt(profile, self._networks) is Outcome.NOT_FOUND:
                self.deactivate(SSID_NOT_FOUND, A_DEVICE)
        self.refresh()

    def refresh(self) -> None:
        """To be called when profiles, networks or the radio changed."""
        wireless = self._saved.state.wireless
        available = [
            self._saved.path(each.uuid)
            for each in self._saved.all()
            if attempt(each, self._networks) is not Outcome.NOT_FOUND
        ]
        self._bus.update(t.DEVICE, t.I_DEVICE, AvailableConnections=available)
        if not wireless:
            if self.current is not None:
                self.deactivate(NO_REASON, A_DEVICE)
            self._move(UNAVAILABLE)
        elif self.current is None:
            self._move(DISCONNECTED)
            best = automatic(self._saved.all(), self._networks, self._blocked)
            if best is not None:
                self.activate(best.uuid, "")
        if self.current is None:
            self._started()

    def changed(self, key: str) -> None:
        """A profile was added, changed or deleted."""
        self._blocked.discard(key)
        if self.current is not None and self.current[1] == key:
            if self._saved.get(key) is None:
                self.deactivate(REMOVED, A_REMOVED)
            else:
                self._bus.update(self.current[0], t.I_ACTIVE, Id=self._saved.name(key))
        self.refresh()

    def activate(self, key: str, sender: str) -> str:
        """Try a profile for `sender` (empty: by itself). Returns the active connection's path."""
        if self.current is not None:
            self.deactivate(NO_REASON, A_DEVICE, then_refresh=False)
        self._counter += 1
        path = f"{t.MANAGER}/ActiveConnection/{self._counter}"
        self.current = (path, key)
        self._bus.add(
            path,
            {
                t.I_ACTIVE: t.properties(
                    t.I_ACTIVE,
                    Connection=self._saved.path(key),
                    Id=self._saved.name(key),
                    Uuid=key,
                    Type=profiles.WIRELESS,
                    Devices=[t.DEVICE],
                )
            },
            {},
        )
        self._bus.update(t.DEVICE, t.I_DEVICE, ActiveConnection=path)
        self._move(PREPARE)
        GLib.timeout_add(JOIN_MS, self._decide, path, key, sender)
        return path

    def deactivate(
        self, reason: int, active_reason: int, *, block: bool = False, then_refresh: bool = True
    ) -> None:
        """Give up the current connection. `block`: don't take it up again by itself."""
        if self.current is None:
            return
        path, key = self.current
        self.current = None
        self._leave()
        if block:
            self._blocked.add(key)
        self._end(path, active_reason)
        self._bus.update(t.DEVICE, t.I_DEVICE, ActiveConnection="/")
        self._move(DISCONNECTED, reason)
        self._forget(path)
        if then_refresh:
            self.refresh()

    def _decide(self, path: str, key: str, sender: str, asked: bool = False) -> bool:
        profile = self._saved.get(key)
        if self.current != (path, key) or profile is None:
            return False
        self._networks = read_networks(self._air) if self._saved.state.wireless else []
        outcome = attempt(profile, self._networks)
        if outcome is Outcome.CONNECTED:
            self._connected(path, key)
        elif outcome is Outcome.NOT_FOUND:
            self._fail(path, SSID_NOT_FOUND)
        else:
            self._move(NEED_AUTH)
            again = lambda psk: self._answered(path, key, sender, psk)  # noqa: E731
            if asked or not sender or not self._ask_agent(sender, key, again):
                self._fail(path, NO_SECRETS)
        return False

    def _answered(self, path: str, key: str, sender: str, psk: str | None) -> None:
        if self.current != (path, key) or self._saved.get(key) is None:
            return
        if psk is None:
            self._fail(path, NO_SECRETS)
            return
        self._saved.set_value(key, profiles.SECURITY, "psk", GLib.Variant("s", psk))
        self._decide(path, key, sender, asked=True)

    def _connected(self, path: str, key: str) -> None:
        self._blocked.discard(key)
        settings = self._saved.settings(key)
        name = profiles.ssid(settings)
        network, point = next(each for each in self._points.items() if each[0].ssid == name)
        link.join(settings, has_route=network.route)
        self._bus.update(t.IP4, t.I_IP4, **link.addressing(settings))
        now = GLib.Variant("t", int(time.time()))
        self._saved.set_value(key, "connection", "timestamp", now)
        self._bus.update(t.DEVICE, t.I_WIRELESS, ActiveAccessPoint=point)
        self._bus.update(t.DEVICE, t.I_DEVICE, Ip4Config=t.IP4)
        self._bus.update(
            path, t.I_ACTIVE, State=ACTIVATED, SpecificObject=point, Default=True, Ip4Config=t.IP4
        )
        self._bus.signal(path, t.I_ACTIVE, "StateChanged", ACTIVATED, A_NO_REASON)
        self._move(ON)
        self._started()

    def _started(self) -> None:
        """What can be had at boot is there: `nm-online -s`, which services wait for, ends."""
        self._bus.update(t.MANAGER, t.NAME, Startup=False)

    def _leave(self) -> None:
        link.leave()
        self._bus.update(t.DEVICE, t.I_DEVICE, Ip4Config="/")
        self._bus.update(t.DEVICE, t.I_WIRELESS, ActiveAccessPoint="/")

    def _fail(self, path: str, reason: int) -> None:
        assert self.current is not None
        if reason == NO_SECRETS:
            self._blocked.add(self.current[1])
        self._move(FAILED, reason)
        self._bus.update(t.MANAGER, t.NAME, ActiveConnections=[])
        self._end(path, A_DEVICE)
        GLib.timeout_add(LEAVE_MS, self._after_failure, path, reason)

    def _after_failure(self, path: str, reason: int) -> bool:
        # nmcli reads the reason from the device, so both stay for a moment.
        if self.current is not None and self.current[0] == path:
            self.current = None
            self._bus.update(t.DEVICE, t.I_DEVICE, ActiveConnection="/")
            self._move(DISCONNECTED, reason)
            self._bus.remove(path)
            self.refresh()
        return False

    def _end(self, path: str, active_reason: int) -> None:
        self._bus.update(path, t.I_ACTIVE, State=GONE, Default=False)
        self._bus.signal(path, t.I_ACTIVE, "StateChanged", GONE, active_reason)

    def _forget(self, path: str) -> None:
        GLib.timeout_add(LEAVE_MS, lambda: self._bus.remove(path) or False)

    def _state(self) -> int:
        return self._bus.get(t.DEVICE, t.I_DEVICE, "State")

    def _move(self, state: int, reason: int = NO_REASON) -> None:
        old = self._state()
        if old != state:
            self._bus.update(t.DEVICE, t.I_DEVICE, State=state, StateReason=(state, reason))
            self._bus.signal(t.DEVICE, t.I_DEVICE, "StateChanged", state, old, reason)
        self._tell_manager(state)

    def _tell_manager(self, state: int) -> None:
        path = self.current[0] if self.current else "/"
        on = state == ON
        self._bus.update(
            t.MANAGER,
            t.NAME,
            ActiveConnections=[path] if self.current else [],
            PrimaryConnection=path if on else "/",
            PrimaryConnectionType=profiles.WIRELESS if on else "",
            ActivatingConnection="/" if on else path,
            State=70 if on else 40 if self.current else 20,
            Connectivity=4 if on else 1,
        )

    def _add_point(self, network: Network) -> None:
        self._counter += 1
        path = self._points[network] = f"{t.MANAGER}/AccessPoint/{self._counter}"
        secured = network.psk is not None
        self._bus.add(
            path,
            {
                t.I_POINT: t.properties(
                    t.I_POINT,
                    Flags=int(secured),
                    RsnFlags=CCMP_PSK if secured else 0,
                    Ssid=network.ssid.encode(),
                    Frequency=network.frequency,
                    HwAddress=network.bssid,
                    Strength=network.signal,
                )
            },
            {},
        )

    def network_at(self, path: str) -> Network | None:
        return next((net for net, each in self._points.items() if each == path), None)
