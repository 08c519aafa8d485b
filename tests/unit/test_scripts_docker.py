"""Docker on a phone: installed, told what it must wait for, and given no file that it refuses."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from fake_phone import DAEMON_JSON, ENGINE, FakePhone


def test_docker_waits_for_the_wifi_at_boot_with_openrc(phone: FakePhone) -> None:
    phone.with_wifi()
    phone.write("etc/conf.d/docker", 'DOCKER_OPTS="--debug"\nrc_need="mine"\n')
    said = phone.is_right_for_good(*ENGINE)
    assert "Docker waits for the wifi at boot" in said
    settings = phone.read("etc/conf.d/docker")
    assert settings.startswith('DOCKER_OPTS="--debug"\nrc_need="mine"\n')
    assert 'rc_need="${rc_need-} wifi-online"' in settings
    service = phone.root / "etc/init.d/wifi-online"
    assert stat.S_IMODE(service.stat().st_mode) == 0o755


def test_docker_waits_for_the_wifi_at_boot_with_systemd(phone: FakePhone) -> None:
    phone.with_systemd()
    phone.with_wifi()
    phone.is_right_for_good(*ENGINE)
    unit = phone.read("etc/systemd/system/docker.service.d/10-cloudlet.conf")
    assert "After=network-online.target" in unit
    assert "StartLimitIntervalSec=0" in unit
    assert not (phone.root / "etc/systemd/system/system.slice.d").exists()
    assert not (phone.root / "etc/conf.d/docker").exists()


@pytest.mark.parametrize(
    ("manager", "calls"),
    [
        (["apk"], [["apk", "add", "--no-interactive", "docker", "docker-cli"]]),
        (
            ["apt-get", "apt-cache"],
            [
                ["apt-get", "update", "-qq"],
                ["apt-get", "install", "-y", "-qq", "docker.io"],
                ["apt-get", "install", "-y", "-qq", "docker-cli"],
            ],
        ),
    ],
    ids=["apk", "apt"],
)
def test_docker_is_installed_where_it_is_missing_and_then_no_more(
    tmp_path: Path, manager: list[str], calls: list[list[str]]
) -> None:
    phone = FakePhone(tmp_path, "dash")
    phone.without_docker(*manager)
    assert "installing Docker\n" in phone.is_right_for_good(*ENGINE)
    assert [call for call in phone.calls() if call[0] == manager[0]] == calls


def test_a_phone_without_docker_and_a_way_to_install_it_is_told(tmp_path: Path) -> None:
    phone = FakePhone(tmp_path, "dash")
    phone.without_docker()
    assert phone.fails(*ENGINE) == (
        "Docker is missing and neither apk nor apt-get is there to install it"
    )


@pytest.mark.parametrize("init", ["openrc", "systemd"])
def test_docker_that_does_not_come_up_says_its_last_words(phone: FakePhone, init: str) -> None:
    if init == "systemd":
        phone.with_systemd()
        phone.program("journalctl", "echo 'dockerd: no space left'\n")
    phone.write("var/log/docker.log", "dockerd: no space left\n")
    phone.write(DAEMON_JSON, '{"broken": 1}')
    assert phone.fails(*ENGINE) == (
        "Docker gave no answer within 60 s. Its last words: dockerd: no space left"
    )
    (phone.state / "docker.stuck").touch()
    assert phone.fails(*ENGINE) == "Docker did not start. Its last words: dockerd: no space left"


def test_containers_are_spared_where_systemd_kills_for_memory_pressure(phone: FakePhone) -> None:
    phone.with_systemd()
    (phone.state / "systemd-oomd.service.there").touch()
    phone.is_right_for_good(*ENGINE)
    slice_ = phone.read("etc/systemd/system/system.slice.d/20-cloudlet.conf")
    assert "ManagedOOMMemoryPressure=auto" in slice_


def test_a_phone_without_a_wifi_of_network_managers_waits_for_none(phone: FakePhone) -> None:
    phone.program("nmcli", 'case $* in *"device status"*) echo wlan0:wifi:unmanaged ;; esac\n')
    phone.is_right_for_good(*ENGINE)
    assert not (phone.root / "etc/conf.d/docker").exists()
    assert (phone.state / "docker.enabled").exists()
    assert (phone.state / "docker.on").exists()
    assert (phone.state / "groups").read_text().strip() == "docker"


@pytest.mark.parametrize("was_there", [True, False])
@pytest.mark.parametrize("docker_runs", [True, False])
def test_what_docker_refuses_is_not_put_into_its_file(
    phone: FakePhone, was_there: bool, docker_runs: bool
) -> None:
    if docker_runs:
        phone.succeeds(*ENGINE)
    if was_there:
        phone.write(DAEMON_JSON, '{"debug": true}')
    before = phone.files()
    phone.calls()
    told = phone.fails("daemon_json.sh", "phone-2", "write", CONTENT='{"refused": 1}')
    assert told.startswith(
        f"Docker refuses what cloudlet would put into {phone.root}/{DAEMON_JSON}, which was left "
        "as it is: unable to configure: refused. What this file says must not be among Docker's "
        "flags too"
    )
    assert phone.files() == before
    assert not [call for call in phone.calls() if "restart" in call], "it ran on meanwhile"


def test_a_docker_that_does_not_run_yet_is_asked_with_the_flags_that_it_will_have(
    phone: FakePhone,
) -> None:
    phone.write("etc/conf.d/docker", 'DOCKER_OPTS="--debug --refused"\necho $UNSET\n')
    before = phone.files()
    told = phone.fails("daemon_json.sh", "phone-2", "write", CONTENT="{}")
    assert "which was left as it is: --refused. What this" in told
    assert phone.files() == before


def test_what_docker_takes_up_by_itself_restarts_nothing(phone: FakePhone) -> None:
    phone.succeeds(*ENGINE)
    phone.calls()
    text = '{"registry-mirrors": ["http://10.0.0.1:5082"]}'
    phone.succeeds("daemon_json.sh", "phone-2", "reload", CONTENT=text)
    assert (phone.root / DAEMON_JSON).read_text() == text
    assert not [call for call in phone.calls() if "restart" in call]
    told = phone.fails("daemon_json.sh", "phone-2", "reload", CONTENT='{"refused": 1}')
    assert "which was left as it is" in told
    assert (phone.root / DAEMON_JSON).read_text() == text


@pytest.mark.parametrize("was_there", [True, False])
def test_a_file_with_which_docker_does_not_run_goes_and_the_one_before_comes_back(
    phone: FakePhone, was_there: bool
) -> None:
    phone.succeeds(*ENGINE)
    if was_there:
        phone.write(DAEMON_JSON, '{"debug": true}')
    phone.write("var/log/docker.log", "dockerd: no\n")
    before = phone.files()
    told = phone.fails("daemon_json.sh", "phone-2", "write", CONTENT='{"broken": 1}')
    assert told.startswith(
        f"Docker did not run with the new {phone.root}/{DAEMON_JSON}, so the one before is back. "
        "Its last words: dockerd: no. "
    )
    assert phone.files() == before


def test_docker_is_restarted_where_somebody_flushed_its_rules(phone: FakePhone) -> None:
    phone.succeeds(*ENGINE)
    assert "docker_rules" not in phone.succeeds("survey.sh", "cloudlet")
    (phone.state / "flushed").touch()
    assert "docker=running\n" in (told := phone.succeeds("survey.sh", "cloudlet"))
    assert "docker_rules=gone\n" in told
    phone.calls()
    assert "restarted Docker: its firewall rules were gone" in phone.succeeds(*ENGINE)
    assert ["rc-service", "docker", "restart"] in phone.calls()


def test_a_docker_that_makes_no_rules_lacks_none(phone: FakePhone) -> None:
    phone.write(DAEMON_JSON, '{"iptables": false}')
    (phone.state / "flushed").touch()
    phone.succeeds(*ENGINE)
    assert "docker_rules" not in phone.succeeds("survey.sh", "cloudlet")
