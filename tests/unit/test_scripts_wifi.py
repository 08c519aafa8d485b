"""The switch of a phone's wifi: what it is on in the end, what it keeps, and what is said."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from fake_nmcli import PROGRAM, Nmcli
from fake_phone import SHELLS, FakePhone

from components.remote import shell

PASSWORD = "my-secure-password"
OLD: dict[str, Any] = {
    "connection.id": "ut-public",
    "connection.uuid": "old",
    "802-11-wireless.ssid": "ut-public",
    "802-11-wireless-security.psk": "",
}
STATIC = "192.168.8.12/24 192.168.8.1 192.168.8.1,1.1.1.1"


class WifiPhone(FakePhone):
    """On the open network ut-public; cloudlet is in the air too."""

    def __init__(self, folder: Path, kind: str) -> None:
        super().__init__(folder, kind)
        self.program("nmcli", PROGRAM)
        self.write("sys/class/net/wlan0/address", "02:c1:0d:00:00:12\n")
        air = {"ut-public": "", "cloudlet": PASSWORD}
        self.wifi = Nmcli(self.state, air, {"old": dict(OLD)})

    def order(
        self, *forget: str, static: str = "", password: str = PASSWORD, confirm_seconds: int = 20
    ) -> str:
        """Asks for cloudlet; a route is waited for a second, so that a test can wait for it."""
        switch = self.text(shell.script("wifi_switch.sh"))
        for bound, short in (
            ("ROUTE_SECONDS=20", "ROUTE_SECONDS=1"),
            ("CONFIRM_SECONDS=60", f"CONFIRM_SECONDS={confirm_seconds}"),
            ("sleep 0.3", "sleep 0.01"),
            ("sleep 0.2", "sleep 0.02"),
        ):
            assert bound in switch
            switch = switch.replace(bound, short)
        return self.succeeds(
            "wifi.sh", "join", "cloudlet", static, *forget, WIFI_PASSWORD=password, SWITCH=switch
        ).strip()

    def verdict(self, *, confirms: bool = True) -> str:
        """What the phone says of itself in the end."""
        deadline = time.monotonic() + 20
        while (state := self.succeeds("wifi.sh", "result").strip()) in ("switching", "joined"):
            assert time.monotonic() < deadline
            if state == "joined" and confirms:
                self.succeeds("wifi.sh", "confirm")
            time.sleep(0.03)
        return state

    def end(self) -> None:
        """A switch that a failed test left under way would wait for its nmcli for ever."""
        with contextlib.suppress(OSError, ValueError):
            job = int(self.read("run/cloudlet-wifi/pid"))
            if str(self.root) in Path(f"/proc/{job}/cmdline").read_text():
                os.killpg(job, signal.SIGKILL)
        self.wifi.close()

    def active(self) -> dict[str, Any]:
        assert self.wifi.active
        return self.wifi.profiles[self.wifi.active]


@pytest.fixture(params=SHELLS)
def phone(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[WifiPhone]:
    made = WifiPhone(tmp_path, request.param)
    yield made
    made.end()


def test_a_phone_joins_and_will_join_by_itself_before_all_others(phone: WifiPhone) -> None:
    assert phone.order() == "switching to wifi 'cloudlet'"
    assert phone.verdict() == "done"
    profile = phone.active()
    assert profile["connection.id"] == profile["802-11-wireless.ssid"] == "cloudlet"
    assert profile["connection.autoconnect"] == "yes"
    assert profile["connection.autoconnect-priority"] == "100"
    assert profile["connection.autoconnect-retries"] == "0"
    assert profile["802-11-wireless.powersave"] == "2"
    assert profile["802-11-wireless.cloned-mac-address"] == "stable"
    assert phone.order() == "already on wifi 'cloudlet'"


def test_nothing_happens_on_a_phone_that_is_right(phone: WifiPhone) -> None:
    phone.order("ut-public", static=STATIC)
    phone.verdict()
    assert phone.order("ut-public", static=STATIC) == "already on wifi 'cloudlet'"
    before = phone.files(), deepcopy(phone.wifi.profiles)
    assert phone.order("ut-public", static=STATIC) == "already on wifi 'cloudlet'"
    assert (phone.files(), phone.wifi.profiles) == before
    assert [profile["connection.id"] for profile in phone.wifi.profiles.values()] == ["cloudlet"]


def test_an_address_can_be_given_for_good_and_taken_back(phone: WifiPhone) -> None:
    phone.order(static=STATIC)
    assert phone.verdict() == "done"
    profile = phone.active()
    assert profile["ipv4.method"] == "manual"
    assert profile["ipv4.addresses"] == "192.168.8.12/24"
    assert profile["ipv4.gateway"] == "192.168.8.1"
    assert profile["ipv4.dns"] == "192.168.8.1,1.1.1.1"
    assert phone.order() == "switching to wifi 'cloudlet'"
    assert phone.verdict() == "done"
    assert phone.active()["ipv4.method"] == "auto"


def test_a_priority_is_put_back_without_leaving_the_network(phone: WifiPhone) -> None:
    phone.order()
    phone.verdict()
    key = phone.wifi.active
    phone.active()["connection.autoconnect-priority"] = "3"
    assert phone.order() == "already on wifi 'cloudlet'"
    assert phone.wifi.active == key
    assert phone.active()["connection.autoconnect-priority"] == "100"


FAULTS = {
    "wrong password": (
        {"air": {"ut-public": "", "cloudlet": "another"}},
        "could not join wifi 'cloudlet': it does not take the password; "
        "check cloudlet:wifiPassword.",
    ),
    "absent": (
        {"air": {"ut-public": ""}},
        "could not join wifi 'cloudlet': there is no such network here; check cloudlet:wifi.ssid.",
    ),
    "gives no address": (
        {"no_lease": ["cloudlet"]},
        "joined wifi 'cloudlet' but was given no address; does its access point run DHCP?",
    ),
    "leads nowhere": (
        {"no_route": ["cloudlet"]},
        "joined wifi 'cloudlet' but got no route to anywhere within 1 s; does its access point "
        "give a gateway, or should cloudlet:wifi.static?",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_phone_keeps_the_profile_that_it_had_and_says_why(phone: WifiPhone, fault: str) -> None:
    changes, message = FAULTS[fault]
    vars(phone.wifi).update(changes)
    phone.order("ut-public")
    assert phone.verdict() == f"failed {message} The phone is on wifi 'ut-public'"
    assert phone.wifi.profiles == {"old": OLD}, "the old one as it was, and nothing beside it"
    assert phone.wifi.active == "old"


def test_a_profile_of_the_same_name_outlives_a_new_password_that_is_wrong(
    phone: WifiPhone,
) -> None:
    phone.order()
    phone.verdict()
    before = deepcopy(phone.wifi.profiles)
    phone.order(password="not-this-one")
    assert phone.verdict().startswith("failed could not join wifi 'cloudlet': it does not take")
    assert phone.wifi.profiles == before
    assert phone.active()["802-11-wireless-security.psk"] == PASSWORD


def test_a_phone_that_nobody_reaches_on_the_new_network_goes_back(phone: WifiPhone) -> None:
    phone.order(confirm_seconds=1)
    assert phone.verdict(confirms=False) == (
        "failed joined wifi 'cloudlet', but could not be reached there within 1 s; is this machine "
        "on that network, and the phone's address right? The phone is on wifi 'ut-public'"
    )
    assert phone.wifi.profiles == {"old": OLD}


def test_a_phone_keeps_its_hardware_address_where_its_profile_is_made_anew(
    phone: WifiPhone,
) -> None:
    """NetworkManager makes a stable one of the profile's id: with it, the lease would go."""
    phone.wifi.profiles["old"] = OLD | {
        "connection.id": "home",
        "802-11-wireless.ssid": "cloudlet",
        "802-11-wireless-security.psk": PASSWORD,
    }
    assert phone.order() == "switching to wifi 'cloudlet'"
    assert phone.verdict() == "done"
    assert phone.active()["802-11-wireless.cloned-mac-address"] == "02:c1:0d:00:00:12"
    assert phone.order() == "already on wifi 'cloudlet'"


def test_a_switch_that_was_cut_off_is_told_and_what_it_left_is_taken_away(
    phone: WifiPhone,
) -> None:
    phone.wifi.profiles["half"] = OLD | {"connection.id": "cloudlet-candidate"}
    phone.write("run/cloudlet-wifi/state", "joined\n")
    phone.write("run/cloudlet-wifi/pid", "999999\n")
    assert phone.verdict() == "failed the switch of the wifi was cut off"
    phone.order()
    assert phone.verdict() == "done"
    assert {profile["connection.id"] for profile in phone.wifi.profiles.values()} == {
        "ut-public",
        "cloudlet",
    }


def test_the_password_is_given_to_no_command(phone: WifiPhone) -> None:
    phone.order()
    phone.verdict()
    assert PASSWORD not in (phone.root.parent / "log").read_text()
    for file in (phone.root / "run").rglob("*"):
        assert not file.is_file() or PASSWORD not in file.read_text()


def test_a_phone_without_a_wifi_device_is_told_what_may_be_missing(tmp_path: Path) -> None:
    phone = FakePhone(tmp_path, "dash")
    phone.program("nmcli", 'case $* in "radio wifi") echo enabled ;; esac\n')
    assert phone.fails("wifi.sh", "join", "x", "", WIFI_PASSWORD=PASSWORD, SWITCH="") == (
        "NetworkManager sees no wifi device; is the phone's wifi firmware installed?"
    )


def test_a_password_that_networkmanager_does_not_take_is_told_and_nothing_is_left(
    phone: WifiPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone.wifi, "_edit", lambda _name, _given: None)
    assert phone.fails("wifi.sh", "join", "cloudlet", "", WIFI_PASSWORD=PASSWORD, SWITCH="") == (
        "NetworkManager did not take the wifi password for 'cloudlet'"
    )
    assert phone.wifi.profiles == {"old": OLD}


def test_a_phone_without_networkmanager_is_told_what_to_do(tmp_path: Path) -> None:
    phone = FakePhone(tmp_path, "dash")
    assert phone.fails("wifi.sh", "join", "x", "", WIFI_PASSWORD=PASSWORD, SWITCH="") == (
        "nmcli is missing; install NetworkManager on the phone, or leave cloudlet:wifi out"
    )
