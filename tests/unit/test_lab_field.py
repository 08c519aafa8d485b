"""What `lab` does to a phone that runs: clock, air, radio, reboot."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from lab import field
from lab.docker import Docker
from lab.errors import LabError
from lab.field import Network
from lab.system import Completed
from tests.unit.lab_machine import Machine


class Phone(Machine):
    """A phone's files, reached as `docker exec` reaches them."""

    def __init__(self) -> None:
        super().__init__(programs={"docker"}, answer=self.docker)
        air = [
            {"ssid": "home", "bssid": "02:C1:0D:00:00:01", "frequency": 5180, "signal": 82},
            {"ssid": "campus", "bssid": "02:C1:0D:00:00:02", "frequency": 2437, "signal": 60},
        ]
        self.files = {field.AIR: json.dumps(air)}

    def docker(self, command: Sequence[str]) -> Completed | None:
        if command[-2] == "cat":
            return Completed(code=0, out=self.files[command[-1]])
        return None

    def run(
        self, command: Sequence[str], *, stdin: bytes | None = None, timeout: float | None = None
    ) -> Completed:
        if stdin is not None:
            self.files[command[-1]] = stdin.decode()
        return super().run(command, stdin=stdin, timeout=timeout)

    @property
    def air(self) -> dict[str, dict[str, object]]:
        return {each["ssid"]: each for each in json.loads(self.files[field.AIR])}


@pytest.fixture
def phone() -> Phone:
    return Phone()


@pytest.fixture
def docker(phone: Phone) -> Docker:
    return Docker(system=phone)


def test_a_clock_is_wrong_by_as_much_as_is_asked_for(phone: Phone, docker: Docker) -> None:
    field.set_clock(docker, "phone", -7200)
    assert phone.files[field.CLOCK] == "-7200\n"


def test_a_network_appears_beside_the_others(phone: Phone, docker: Docker) -> None:
    field.add_network(docker, "phone", Network(ssid="island", password="12345678", route=False))
    assert phone.air.keys() == {"home", "campus", "island"}
    assert phone.air["island"]["psk"] == "12345678"
    assert phone.air["island"]["route"] is False
    assert len({each["bssid"] for each in phone.air.values()}) == 3


def test_a_network_of_the_same_name_is_replaced(phone: Phone, docker: Docker) -> None:
    field.add_network(docker, "phone", Network(ssid="home", signal=5))
    assert phone.air.keys() == {"home", "campus"}
    assert phone.air["home"]["signal"] == 5
    assert "psk" not in phone.air["home"]


def test_a_network_vanishes_and_can_not_vanish_twice(phone: Phone, docker: Docker) -> None:
    field.remove_network(docker, "phone", "campus")
    assert phone.air.keys() == {"home"}
    with pytest.raises(LabError, match=r"no network 'campus' .*: there are home"):
        field.remove_network(docker, "phone", "campus")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"ssid": ""}, "1 to 32 bytes"),
        ({"ssid": "x" * 33}, "1 to 32 bytes"),
        ({"ssid": "x", "password": "short"}, "8 to 63 characters"),
        ({"ssid": "x", "signal": 0}, "1 to 100 percent"),
    ],
)
def test_a_network_that_can_not_be_is_refused(values: dict[str, str], message: str) -> None:
    with pytest.raises(LabError, match=message):
        Network(**values)  # pyright: ignore[reportArgumentType]


def test_the_radio_is_switched_as_a_person_would(phone: Phone, docker: Docker) -> None:
    field.switch_wifi(docker, "phone", on=False)
    assert phone.ran("exec", "phone", "nmcli", "radio", "wifi", "off")
