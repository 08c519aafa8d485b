"""The controller's half of a switch of the wifi: it waits, confirms, and repeats the verdict."""

from __future__ import annotations

from typing import Any

import pytest

from components import wifi
from components.remote.ssh import Host, PhoneError, UnreachableError
from components.wifi import Static, WifiProvider, join, wifi_settings

HOST = Host(name="phone-7", host="h", port=22, user="cloudlet", key_file="k")
STATIC = Static(
    address="192.168.8.17", prefix=24, gateway="192.168.8.1", dns=("1.1.1.1", "9.9.9.9")
)
ALREADY, SWITCHING = "already on wifi 'cloudlet'", "switching to wifi 'cloudlet'"
SETTINGS = {**wifi_settings("cloudlet", ["ut-public"], STATIC), "password": "wifi-pass"}


class Phone:
    """Answers each connection with the next of ``answers``; an error is one that cannot be made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: str | PhoneError) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[str, ...]] = []
        self.settings: dict[str, str] = {}
        self.now = 0.0
        monkeypatch.setattr(wifi, "connect", lambda _host: self)
        monkeypatch.setattr(wifi, "run_script", self.run)
        monkeypatch.setattr(wifi, "time", self)

    def __enter__(self) -> Phone:
        first = self._answers[0]
        if isinstance(first, PhoneError):
            if len(self._answers) > 1:
                self._answers.pop(0)
            raise first
        return self

    def __exit__(self, *_: object) -> None: ...

    def run(
        self, _session: Any, script: str, *arguments: str, settings: dict[str, str] | None = None
    ) -> str:
        assert script == "wifi.sh"
        self.asked.append(arguments)
        self.settings |= settings or {}
        answer = self._answers.pop(0)
        assert isinstance(answer, str)
        return f"{answer}\n"

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


OFF = UnreachableError("phone-7 does not answer")


def test_a_phone_that_is_right_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    phone = Phone(monkeypatch, ALREADY)
    join(HOST, SETTINGS)
    order = ("join", "cloudlet", "192.168.8.17/24 192.168.8.1 1.1.1.1,9.9.9.9", "ut-public")
    assert phone.asked == [order]
    assert phone.settings["WIFI_PASSWORD"] == "wifi-pass"
    assert "wifi-pass" not in phone.settings["SWITCH"]


def test_a_switch_is_confirmed_over_a_new_connection_and_then_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow = ("joined", "joined")
    phone = Phone(monkeypatch, SWITCHING, "switching", OFF, OFF, *slow, "joined", "done", ALREADY)
    join(HOST, SETTINGS)
    tasks = [arguments[0] for arguments in phone.asked]
    assert tasks == ["join", "result", "result", "confirm", "result", "confirm", "join"]


def test_what_the_phone_says_went_wrong_is_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    Phone(monkeypatch, SWITCHING, OFF, "failed could not join wifi 'cloudlet': because")
    with pytest.raises(PhoneError, match=r"^phone-7 could not join wifi 'cloudlet': because$"):
        join(HOST, SETTINGS)


def test_a_phone_that_does_not_come_back_is_given_up_within_a_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    phone = Phone(monkeypatch, SWITCHING, OFF)
    with pytest.raises(
        PhoneError, match=r"did not end within 190 s; the phone goes back by itself"
    ):
        join(HOST, SETTINGS)
    assert phone.now == pytest.approx(190, abs=1)


def test_settings_that_networkmanager_does_not_keep_end_in_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Phone(monkeypatch, *[SWITCHING, "done"] * 3)
    with pytest.raises(PhoneError, match="took up wifi 'cloudlet' with other settings"):
        join(HOST, SETTINGS)


def test_only_what_the_phone_is_told_makes_a_change() -> None:
    provider = WifiProvider()
    props = {**SETTINGS, "phone": HOST.to_inputs()}
    moved = {**props, "phone": HOST.to_inputs() | {"port": 23}}
    assert not provider.diff("", props, moved).changes
    for key in ("ssid", "forget", "static", "password"):
        assert provider.diff("", props, {**props, key: "another"}).changes
