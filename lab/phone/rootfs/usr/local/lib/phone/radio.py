"""What the simulated radio decides: which profile is used, and how an attempt ends.

Nothing here knows D-Bus, so it is tested without a phone.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class Outcome(Enum):
    """How an attempt to use a profile ends."""

    CONNECTED = "connected"
    NOT_FOUND = "not found"
    NEEDS_SECRET = "needs secret"


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network in the air. `psk` is None for an open one; `signal` is in percent.

    One without a `route` lets phones join and leads nowhere.
    """

    ssid: str
    bssid: str
    frequency: int
    signal: int
    psk: str | None = None
    route: bool = True


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What matters of a saved connection. `psk` is empty where none is saved."""

    uuid: str
    ssid: str
    secured: bool
    psk: str = ""
    autoconnect: bool = True
    priority: int = 0
    timestamp: int = 0


def read_networks(path: Path) -> list[Network]:
    """Read anew at every scan, so that a test can make a network appear or vanish."""
    return [Network(**each) for each in json.loads(path.read_text())]


def attempt(profile: Profile, networks: Iterable[Network]) -> Outcome:
    """How it ends to use this profile among these networks."""
    # A profile whose kind of security differs from the network's does not match it.
    matching = [
        each
        for each in networks
        if each.ssid == profile.ssid and (each.psk is not None) == profile.secured
    ]
    if not matching:
        return Outcome.NOT_FOUND
    if all(each.psk in (None, profile.psk) for each in matching):
        return Outcome.CONNECTED
    return Outcome.NEEDS_SECRET


def automatic(
    profiles: Iterable[Profile], networks: Collection[Network], blocked: Collection[str]
) -> Profile | None:
    """The profile to connect by itself: highest priority, then the one used last."""
    usable = [
        each
        for each in profiles
        if each.autoconnect
        and each.uuid not in blocked
        and attempt(each, networks) is not Outcome.NOT_FOUND
    ]
    return max(usable, key=lambda each: (each.priority, each.timestamp), default=None)
