"""What of a phone a refresh takes up."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from components import facts
from components.facts import FactsProvider

PHONE = {"name": "phone-1", "host": "h", "port": 22.0, "user": "u", "key_file": "k", "host_key": ""}
WAS = {"architecture": "armv7l", "docker_version": "26.1", "free_disk_mb": "9000"}


def refreshed(monkeypatch: pytest.MonkeyPatch, seen: dict[str, str] | None) -> Any:
    now = None if seen is None else SimpleNamespace(facts=seen)
    monkeypatch.setattr(facts, "recent", lambda _host: now)
    outs = FactsProvider().read("phone-1", {"phone": PHONE, "facts": WAS}).outs
    assert outs is not None
    return outs["facts"]


def test_a_refresh_takes_up_what_somebody_changed_and_not_what_changes_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = {"architecture": "armv7l", "docker_version": "27.0", "free_disk_mb": "8990"}
    assert refreshed(monkeypatch, seen) == {**WAS, "docker_version": "27.0"}


def test_a_battery_that_was_never_told_is_taken_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refreshed(monkeypatch, {"battery_percent": "80"}) == {**WAS, "battery_percent": "80"}


def test_a_phone_that_is_off_is_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refreshed(monkeypatch, None) == WAS
