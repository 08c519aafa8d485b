"""A lab's names, addresses, ports, docker arguments and configuration block."""

from __future__ import annotations

import pytest
import yaml

from lab import arguments, configuration, kinds
from lab.errors import LabError
from lab.kinds import Kind
from lab.names import Lab

DEV = Lab(name="dev")
TEST = Lab(name="test")


def test_dev_and_test_have_the_documented_addresses() -> None:
    assert (DEV.subnet, DEV.loopback) == ("10.213.1.0/24", "127.0.0.1")
    assert (TEST.subnet, TEST.loopback) == ("10.213.2.0/24", "127.0.0.2")
    assert DEV.mirror == "http://10.213.1.2:5000"
    assert TEST.push_host == "127.0.0.2:5099"


def test_phone_one_publishes_ssh_and_the_entry_ports_the_others_only_ssh() -> None:
    first, second = DEV.phones(2)
    assert first.address == "10.213.1.11"
    assert first.ports == {
        2201: 22,
        5000: 5000,
        8888: 8888,
        9000: 9000,
        8000: 8000,
        15672: 15672,
    }
    assert (second.address, second.ports, second.ssh_port) == ("10.213.1.12", {2202: 22}, 2202)


def test_labs_of_other_names_get_addresses_of_their_own() -> None:
    other = Lab(name="bench")
    assert other.index not in (1, 2)
    assert 3 <= other.index <= 252
    assert other.subnet == f"10.213.{other.index}.0/24"
    assert other.loopback == f"127.0.0.{other.index}"
    assert Lab(name="bench") == other


def test_most_phones_fit_into_the_subnet_and_never_share_a_port() -> None:
    phones = DEV.phones(99)
    ports = [port for phone in phones for port in phone.ports]
    assert len(set(ports)) == len(ports)
    assert phones[-1].address == "10.213.1.109"


@pytest.mark.parametrize("name", ["", "Dev", "1st", "a_b", "x" * 21, "../x"])
def test_a_name_that_docker_would_not_take_is_refused(name: str) -> None:
    with pytest.raises(LabError, match="lab name"):
        Lab(name=name)


@pytest.mark.parametrize("count", [0, -1, 100])
def test_a_number_of_phones_out_of_range_is_refused(count: int) -> None:
    with pytest.raises(LabError, match="1 to 99 phones"):
        DEV.phones(count)


@pytest.mark.parametrize("name", ["phone-0", "phone", "phone-01", "phone-100", "phone-1x"])
def test_what_is_no_phone_is_refused(name: str) -> None:
    with pytest.raises(LabError, match="is no phone of the lab"):
        DEV.phone_named(name)


def test_a_phone_is_published_on_the_labs_loopback_address_only() -> None:
    made = arguments.phone(TEST, TEST.phone(1), Kind(), "image", ["--cap-add=ALL"])
    published = [each for each in made if each.startswith("--publish=")]
    assert len(published) == 6
    assert all(each.startswith("--publish=127.0.0.2:") for each in published)


def test_a_phone_has_its_memory_address_and_a_disk_of_its_own() -> None:
    made = arguments.phone(DEV, DEV.phone(3), Kind(), "image", ["--cap-add=ALL"])
    assert made[-3:] == ["image", "/usr/local/sbin/phone-init", "sudo"]
    assert {"--memory=2g", "--memory-swap=2g", "--ip=10.213.1.13", "--hostname=phone-3"} <= set(
        made
    )
    assert "--volume=cloudlet-dev-phone-3-docker:/var/lib/docker" in made
    assert "--privileged" not in made


def test_systemd_is_told_to_shut_down_in_its_own_way() -> None:
    made = {
        kind: arguments.phone(DEV, DEV.phone(1), kinds.parse(kind), "image", [])
        for kind in ("sudo", "systemd")
    }
    assert "--stop-signal=SIGRTMIN+3" in made["systemd"]
    assert not [each for each in made["sudo"] if each.startswith("--stop-signal")]


def test_all_that_a_lab_makes_carries_its_label() -> None:
    phone = DEV.phone(1)
    for made in (
        arguments.network(DEV),
        arguments.volume(DEV, phone),
        arguments.phone(DEV, phone, Kind(), "image", ["--cap-add=ALL"]),
        arguments.registry(DEV, "image", "/storage", "0:0"),
    ):
        assert "--label=cloudlet.lab=dev" in made


def test_a_network_that_shares_addresses_is_named() -> None:
    networks = {
        "bridge": ["172.17.0.0/16"],
        "wide": ["10.0.0.0/8"],
        "half": ["10.213.1.128/25"],
        "next": ["10.213.2.0/24"],
        "none": [],
    }
    assert arguments.colliding(DEV.subnet, networks) == ["wide", "half"]


def test_the_configuration_names_three_managers_and_pins_storage_to_the_last_phone() -> None:
    config = yaml.safe_load(configuration.block(DEV, 4))["config"]
    phones = config["cloudlet:phones"]
    assert [each["role"] for each in phones.values()] == ["manager"] * 3 + ["worker"]
    assert phones["phone-4"]["labels"] == {"storage": "true"}
    assert phones["phone-2"]["ssh"] == {"host": "127.0.0.1", "port": 2202}
    assert config["cloudlet:engine"] == {"registryMirror": "http://10.213.1.2:5000"}
    assert config["cloudlet:entryAddress"] == "127.0.0.1"


def test_two_phones_get_one_manager_for_two_would_tolerate_no_loss() -> None:
    phones = yaml.safe_load(configuration.block(TEST, 2))["config"]["cloudlet:phones"]
    assert [each["role"] for each in phones.values()] == ["manager", "worker"]
