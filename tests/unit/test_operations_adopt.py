"""Adoption writes what it found, and takes no phone for another."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from components.remote.ssh import Host, UnreachableError
from operations import adopt, asking, first_lines
from operations.errors import OperationError
from operations.pulumi_cli import PulumiStack
from tests.unit.operations_samples import host_key, state_of

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "B" * 43
WIFI = {"ssid": "cloudlet", "forget": ["ut-public"]}


class Cable:
    """A phone on the cable that shows ``key``, and the lab's file as ``values``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.key = KEY
        self.values: dict[str, Any] = {
            "ssh": {"user": "cloudlet", "privateKeyFile": str(folder / "id")},
            "wifi": WIFI,
            "wifiPassword": "coffee-for-everyone",
            "password": "1234",
        }
        self.phones: dict[str, dict[str, Any]] = {}
        self.known: tuple[str, ...] = ()
        self.off_the_cable = False
        self.written: dict[str, str] = {}
        self.state: dict[str, Any] = {}
        self.did: list[str] = []
        self.dialled: list[tuple[str, int]] = []
        self.joined: dict[str, Any] = {}
        self.stack = PulumiStack(name="lab", config_file=folder / "Pulumi.lab.yaml")
        monkeypatch.setattr(adopt, "connect", self.connect)
        monkeypatch.setattr(adopt, "first_contact", self.first_contact)
        monkeypatch.setattr(adopt, "run_script", lambda *_, **__: "192.168.8.13\n")
        monkeypatch.setattr(adopt.wifi, "join", self.join)
        monkeypatch.setattr(PulumiStack, "configuration", self.configuration)
        monkeypatch.setattr(PulumiStack, "export", self.export)
        monkeypatch.setattr(PulumiStack, "replace_state", lambda _, state: self.state.update(state))
        monkeypatch.setattr(
            PulumiStack, "set", lambda _, key, value: self.written.update({key: value})
        )

    @contextmanager
    def connect(self, host: Host, _password: str | None = None) -> Generator[Any]:
        self.dialled.append((host.host, host.port))
        if self.off_the_cable and host.host != "172.16.42.1":
            raise UnreachableError(f"{host.name} does not answer at {host.host}: no answer.")
        yield SimpleNamespace(host_key=self.key)

    def first_contact(self, host: Host, password: str) -> None:
        assert (host.host_key, password) == (self.key, "1234")
        self.did.append("contact")

    def join(self, _host: Host, settings: dict[str, Any]) -> None:
        self.did.append("wifi")
        self.joined = settings

    def configuration(self) -> dict[str, dict[str, Any]]:
        values = {**self.values, "phones": self.phones}
        return {
            f"cloudlet:{key}": {"value": json.dumps(value), "objectValue": value}
            if isinstance(value, dict)
            else {"value": value}
            for key, value in values.items()
        }

    def export(self) -> dict[str, Any]:
        return {"deployment": {"resources": state_of(*self.known)}}

    def adopt(self, phone: str = "phone-3", cable: str = adopt.CABLE, *, yes: bool = False) -> str:
        told: list[str] = []
        adopt.adopt(self.stack, phone, cable, told.append, yes=yes)
        return "\n".join(told)


@pytest.fixture
def cable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cable:
    return Cable(monkeypatch, tmp_path)


def test_a_phone_that_is_new_in_the_file_gets_its_address_and_key_there(cable: Cable) -> None:
    told = cable.adopt()
    assert cable.did == ["contact", "wifi"]
    assert cable.written == {
        'cloudlet:phones["phone-3"].address': "192.168.8.13",
        'cloudlet:phones["phone-3"].hostKey': KEY,
    }
    assert cable.joined == {
        "ssid": "cloudlet",
        "forget": ["ut-public"],
        "static": "",
        "password": "coffee-for-everyone",
    }
    assert "phone-3 answers at 192.168.8.13:22, without the cable" in told
    assert "coffee-for-everyone" not in told


def test_what_the_file_says_already_is_not_written_again(cable: Cable) -> None:
    cable.phones = {"phone-3": {"address": "192.168.8.13", "hostKey": KEY, "role": "manager"}}
    cable.adopt()
    assert cable.written == {}


def test_another_address_than_before_is_written_and_told(cable: Cable) -> None:
    cable.phones = {"phone-3": {"address": "192.168.8.99", "hostKey": KEY}}
    told = cable.adopt()
    assert cable.written == {'cloudlet:phones["phone-3"].address': "192.168.8.13"}
    assert "phones.phone-3.address is 192.168.8.13 (it was 192.168.8.99)" in told


def test_a_fixed_address_is_what_the_file_gives_the_phone(cable: Cable) -> None:
    cable.values["wifi"] = {**WIFI, "static": {"gateway": "192.168.8.1"}}
    with pytest.raises(OperationError, match=r"phones\.phone-3\.address: is missing"):
        cable.adopt()
    cable.phones = {"phone-3": {"address": "192.168.8.13"}}
    cable.adopt()
    assert cable.joined["static"] == "192.168.8.13/24 192.168.8.1 192.168.8.1"


def test_the_wrong_phone_on_the_cable_is_left_as_it_is(cable: Cable) -> None:
    cable.phones = {"phone-2": {"address": "192.168.8.12", "hostKey": KEY}}
    with pytest.raises(OperationError, match="the phone on the cable is phone-2, not phone-3"):
        cable.adopt()
    assert (cable.did, cable.written) == ([], {})


def test_a_phone_that_only_the_state_knows_is_known_too(cable: Cable) -> None:
    cable.known, cable.key = ("phone-2",), host_key("phone-2")
    with pytest.raises(OperationError, match="the phone on the cable is phone-2, not phone-3"):
        cable.adopt()


def test_another_machine_takes_a_phones_place_only_after_a_yes(
    cable: Cable, monkeypatch: pytest.MonkeyPatch
) -> None:
    cable.phones = {"phone-3": {"address": "192.168.8.13", "hostKey": OTHER}}
    cable.known = ("phone-1", "phone-3")
    monkeypatch.setattr(asking.sys.stdin, "isatty", lambda: False, raising=False)
    with pytest.raises(OperationError, match="YES=1"):
        cable.adopt()
    assert (cable.did, cable.written, cable.state) == ([], {}, {})
    told = cable.adopt(yes=True)
    urns = [each["urn"] for each in cable.state["deployment"]["resources"]]
    assert not [urn for urn in urns if "phone-3" in urn]
    assert [urn for urn in urns if "phone-1" in urn]
    assert cable.written == {'cloudlet:phones["phone-3"].hostKey': KEY}
    assert "Pulumi has forgotten the phone that had this name" in told


def test_a_phone_that_is_not_reached_on_the_wifi_is_told(cable: Cable) -> None:
    cable.off_the_cable = True
    assert "phone-3 does not answer at 192.168.8.13: no answer. Until then" in cable.adopt()


def test_a_port_on_the_cable_and_a_place_of_its_own_for_ssh(cable: Cable) -> None:
    cable.phones = {
        "phone-3": {"address": "192.168.8.13", "ssh": {"host": "127.0.0.1", "port": 2203}}
    }
    told = cable.adopt(cable="127.0.0.8:2222")
    assert cable.dialled[0] == ("127.0.0.8", 2222)
    assert "phone-3 answers at 127.0.0.1:2203" in told


@pytest.mark.parametrize(
    ("phone", "place", "message"),
    [
        ("Phone 3", adopt.CABLE, "'Phone 3' is no name for a phone"),
        ("phone-3", "172.16.42.1:ssh", "USB=172.16.42.1:ssh is neither an address nor"),
        ("phone-3", "", "USB= is neither an address nor"),
    ],
)
def test_a_slip_of_the_fingers_is_told(cable: Cable, phone: str, place: str, message: str) -> None:
    with pytest.raises(OperationError) as caught:
        cable.adopt(phone, place)
    assert message in str(caught.value)


def test_only_what_adoption_needs_must_be_right_in_the_file() -> None:
    values = {
        "ssh": {"objectValue": {"user": "cloudlet", "privateKeyFile": "~/.ssh/id"}, "value": ""},
        "stacks": {"value": "nonsense"},
        "phones": {"objectValue": {"phone-1": {"role": "captain"}}, "value": ""},
    }
    assert first_lines.read(values).phones.keys() == {"phone-1"}


def test_what_it_needs_is_asked_for_by_key() -> None:
    values = {"wifi": {"objectValue": {"ssid": ""}, "value": ""}}
    with pytest.raises(OperationError) as caught:
        first_lines.read(values)
    assert "ssh: is missing: how phones are logged into" in str(caught.value)
    assert "wifi.ssid: has 0 bytes" in str(caught.value)
    ssh = {"objectValue": {"user": "cloudlet", "privateKeyFile": "id"}, "value": ""}
    with pytest.raises(OperationError, match="wifiPassword: is missing, and wifi needs it"):
        first_lines.read({"ssh": ssh, "wifi": {"objectValue": {"ssid": "home"}, "value": ""}})
