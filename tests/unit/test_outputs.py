"""The outputs: names that need no explanation."""

from __future__ import annotations

from components import outputs
from components.phones.survey import FACTS


def test_facts_carry_their_units_in_their_names() -> None:
    told = {
        "model": "LGE Nexus 5",
        "architecture": "armv7l",
        "os": "postmarketOS v26.06",
        "kernel": "6.16.0",
        "docker_version": "29.5.3",
        "memory_mb": "1893",
        "free_disk_mb": "21000",
        "battery_percent": "87",
        "battery_decidegrees": "296",
    }
    assert set(told) == set(FACTS)
    assert outputs.facts(told) == {
        "model": "LGE Nexus 5",
        "architecture": "armv7l",
        "os": "postmarketOS v26.06",
        "kernel": "6.16.0",
        "dockerVersion": "29.5.3",
        "memoryMB": 1893,
        "freeDiskMB": 21000,
        "batteryPercent": 87,
        "batteryCelsius": 29.6,
    }


def test_what_a_phone_does_not_tell_is_left_out() -> None:
    assert outputs.facts({"model": "x", "battery_percent": ""}) == {"model": "x"}
