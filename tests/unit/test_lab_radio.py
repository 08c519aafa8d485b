"""What the simulated phone's radio decides (lab/phone/.../radio.py)."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[2] / "lab/phone/rootfs/usr/local/lib/phone"


def load() -> ModuleType:
    """The phone's own file: it is no part of a package on this machine."""
    spec = importlib.util.spec_from_file_location("phone_radio", FOLDER / "radio.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["phone_radio"] = module
    spec.loader.exec_module(module)
    return module


radio = load()
AIR = radio.read_networks(FOLDER / "networks.json")
CLOUDLET = radio.Profile(uuid="c", ssid="cloudlet", secured=True, psk="my-secure-password")
PUBLIC = radio.Profile(uuid="p", ssid="ut-public", secured=False)


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, "CONNECTED"),
        ({"psk": "wrong-password"}, "NEEDS_SECRET"),
        ({"psk": ""}, "NEEDS_SECRET"),
        ({"secured": False, "psk": ""}, "NOT_FOUND"),
        ({"ssid": "elsewhere"}, "NOT_FOUND"),
    ],
)
def test_only_the_right_password_connects(changes: dict[str, object], outcome: str) -> None:
    values = {"uuid": "c", "ssid": "cloudlet", "secured": True, "psk": "my-secure-password"}
    profile = radio.Profile(**(values | changes))
    assert radio.attempt(profile, AIR) is radio.Outcome[outcome]


def test_the_open_network_connects_without_a_password() -> None:
    assert radio.attempt(PUBLIC, AIR) is radio.Outcome.CONNECTED


def test_the_highest_priority_is_taken_by_itself() -> None:
    first = radio.Profile(
        uuid="c", ssid="cloudlet", secured=True, psk="my-secure-password", priority=100
    )
    assert radio.automatic([PUBLIC, first], AIR, set()) == first


def test_among_equals_the_one_used_last_is_taken() -> None:
    late = radio.Profile(uuid="l", ssid="ut-public", secured=False, timestamp=9)
    assert radio.automatic([CLOUDLET, late], AIR, set()) == late


def test_a_blocked_absent_or_manual_profile_is_not_taken() -> None:
    manual = radio.Profile(uuid="m", ssid="ut-public", secured=False, autoconnect=False)
    absent = radio.Profile(uuid="a", ssid="elsewhere", secured=False, priority=9)
    assert radio.automatic([CLOUDLET, manual, absent], AIR, {"c"}) is None
