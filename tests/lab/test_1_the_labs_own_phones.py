"""A simulated phone is what its kind says: else the tests on it would prove nothing."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator

import pytest
from labkit import LOOPBACK, PHONES, Lab, wait_for
from phonekit import has_systemd, runs, started_at_boot


def as_user(lab: Lab, phone: str, command: str) -> str:
    """What a command prints, error and exit code included, without a terminal."""
    return lab.on(phone, f"su cloudlet -c '{command}' 2>&1; echo $?")


def default_route(lab: Lab, phone: str) -> str:
    return lab.on(phone, "ip route show default dev wlan0")


def active(lab: Lab, phone: str) -> str:
    return lab.on(phone, "nmcli -t -f NAME connection show --active").strip()


@pytest.mark.parametrize("phone", PHONES)
def test_a_blank_phone_has_docker_off_wifi_on_and_a_battery(lab: Lab, phone: str) -> None:
    assert not runs(lab, phone, "docker")
    assert "docker" not in started_at_boot(lab, phone)
    assert wait_for(lambda: active(lab, phone) == "ut-public", 10)
    assert lab.on(phone, "cat /sys/class/power_supply/battery/capacity").strip() == "87"


def test_what_a_phone_uses_is_not_free_any_more(lab: Lab) -> None:
    def free() -> int:
        return int(lab.on("phone-3", "awk '/^MemAvailable:/ { print $2 }' /proc/meminfo")) // 1024

    before = free()
    lab.on(
        "phone-3",
        "python3 -c 'import time; kept = bytearray(300 << 20); time.sleep(20)' >/dev/null 2>&1 &",
    )
    assert wait_for(lambda: free() < before - 200, 15), (before, free())


@pytest.mark.parametrize("phone", PHONES)
def test_root_is_not_to_be_had_without_the_password(lab: Lab, phone: str) -> None:
    assert as_user(lab, phone, "sudo -n true").endswith("1\n")


@pytest.mark.parametrize("phone", ["phone-1", "phone-3"])
def test_sudo_takes_the_password_from_standard_input(lab: Lab, phone: str) -> None:
    assert as_user(lab, phone, "echo 1234 | sudo -S id -u").endswith("0\n0\n")


def test_doas_takes_no_password_without_a_terminal_and_reads_every_rule_file(lab: Lab) -> None:
    assert "invalid option" in as_user(lab, "phone-2", "echo 1234 | sudo -S true")
    assert "failed" in as_user(lab, "phone-2", "echo 1234 | doas true")
    rule = "/etc/doas.d/50-test.conf"
    lab.on("phone-2", f"echo permit nopass cloudlet >{rule}")
    assert as_user(lab, "phone-2", "doas -n id -u && sudo -n id -u") == "0\n0\n0\n"
    lab.on("phone-2", f"rm {rule}")
    assert as_user(lab, "phone-2", "doas -n true").endswith("1\n")


def test_an_init_leaves_no_trace_of_the_other(lab: Lab) -> None:
    for phone in PHONES:
        other = "rc-update" if has_systemd(lab, phone) else "systemctl"
        assert lab.on(phone, f"command -v {other} || echo none") == "none\n"
    assert has_systemd(lab, "phone-3")
    assert lab.on("phone-3", "systemctl is-system-running").strip() == "running"


def test_a_firewall_lets_ssh_in_and_nothing_of_the_swarm(lab: Lab) -> None:
    target = lab.value("phones")["phone-4"]["address"]
    lab.on("phone-4", "busybox nc -ll -p 7946 -e true >/dev/null 2>&1 &")
    ask = f"timeout 2 busybox nc {target} %d </dev/null >/dev/null && echo in || echo out"
    assert lab.on("phone-1", ask % 22) == "in\n"
    assert lab.on("phone-1", ask % 7946) == "out\n"
    lab.on("phone-4", "rc-service nftables stop")
    assert lab.on("phone-1", ask % 7946) == "in\n"
    lab.on("phone-4", "rc-service nftables start; pkill busybox")


def test_a_clock_is_wrong_until_it_is_set(lab: Lab) -> None:
    def off() -> float:
        return float(lab.on("phone-1", "date +%s")) - time.time()

    lab.lab("clock", "phone-1", "-7200").ok()
    assert off() == pytest.approx(-7200, abs=5)
    assert "not permitted" in as_user(lab, "phone-1", "date -s @0")
    lab.on("phone-1", f"date -u -s @{int(time.time())}")
    assert off() == pytest.approx(0, abs=5)
    lab.lab("clock", "phone-1", "0").ok()


@pytest.fixture
def island(lab: Lab) -> Iterator[None]:
    """A network that leads nowhere, and a profile for it, on phone-1."""
    lab.lab("air", "phone-1", "add", "island", "--password", "12345678", "--no-route").ok()
    profile = "con-name island ssid island wifi-sec.key-mgmt wpa-psk wifi-sec.psk 12345678"
    lab.on("phone-1", f"nmcli connection add type wifi ifname wlan0 {profile}")
    yield
    lab.on("phone-1", "nmcli connection delete island")
    lab.lab("air", "phone-1", "remove", "island").ok()
    assert wait_for(lambda: active(lab, "phone-1") == "ut-public", 10)
    assert default_route(lab, "phone-1")


@pytest.mark.usefixtures("island")
def test_a_network_that_leads_nowhere_gives_an_address_and_no_route(lab: Lab) -> None:
    lab.on("phone-1", "nmcli --wait 20 connection up island")
    assert active(lab, "phone-1") == "island"
    assert default_route(lab, "phone-1") == ""
    assert "inet " in lab.on("phone-1", "ip -4 address show dev wlan0")


@pytest.mark.usefixtures("island")
def test_a_static_address_is_had_and_a_profile_keeps_it_under_another_name(lab: Lab) -> None:
    address = lab.value("phones")["phone-1"]["address"].rpartition(".")[0] + ".211"
    gateway = address.rpartition(".")[0] + ".1"
    static = f"ipv4.method manual ipv4.addresses {address}/24 ipv4.gateway {gateway}"
    lab.on("phone-1", f"nmcli connection modify island {static} ipv4.dns {gateway}")
    lab.on("phone-1", "nmcli connection modify island connection.id renamed")
    lab.on("phone-1", "nmcli --wait 20 connection up renamed")
    shown = "nmcli -g IP4.ADDRESS,IP4.GATEWAY,IP4.DNS device show wlan0"
    assert lab.on("phone-1", shown).split() == [f"{address}/24", gateway, gateway]
    assert f"inet {address}/24" in lab.on("phone-1", "ip -4 address show dev wlan0")
    assert gateway in default_route(lab, "phone-1")
    lab.on("phone-1", "nmcli connection modify renamed connection.id island")


def test_without_wifi_a_phone_is_out_of_reach(lab: Lab) -> None:
    scan = ["ssh-keyscan", "-T", "3", "-p", "2201", LOOPBACK]
    lab.lab("wifi", "phone-1", "off").ok()
    assert subprocess.run(scan, capture_output=True, check=False).stdout == b""
    lab.lab("wifi", "phone-1", "on").ok()
    assert wait_for(lambda: subprocess.run(scan, capture_output=True, check=False).stdout, 20)


@pytest.mark.parametrize("phone", ["phone-1", "phone-3"])
def test_a_reboot_from_inside_brings_the_same_phone_back(lab: Lab, phone: str) -> None:
    identity = "cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub"
    before = lab.on(phone, identity)
    lab.on(phone, "touch /run/this-boot")
    done = lab.lab("reboot", phone).ok()
    assert lab.on(phone, "ls /run/this-boot 2>/dev/null || echo gone") == "gone\n"
    assert lab.on(phone, identity) == before
    assert done.seconds < 60


def test_a_phone_keeps_its_kind_when_it_is_replaced(lab: Lab) -> None:
    lab.lab("replace", "phone-4").ok()
    assert "policy drop" in lab.on("phone-4", "nft list chain inet filter input")
    listed = {line.split()[0]: line.split()[1] for line in lab.lab("status").output.splitlines()}
    assert listed["phone-4"] == "sudo,firewall"
