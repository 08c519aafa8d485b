"""The scripts under a phone's shells: what they change, that they do so once, and what they say."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from fake_phone import SHELLS, FakePhone

ADDRESS, PORT = "192.168.8.12", "4789"
NETWORK = ("network.sh", "phone-2", ADDRESS, PORT)
ENGINE = ("engine.sh", "cloudlet")
DAEMON_JSON = "etc/docker/daemon.json"


@pytest.fixture(params=SHELLS)
def phone(request: pytest.FixtureRequest, tmp_path: Path) -> FakePhone:
    return FakePhone(tmp_path, request.param)


def changes_nothing_again(phone: FakePhone, *call: str, **settings: str) -> str:
    """Runs a script twice; what the first run said."""
    said = phone.succeeds(*call, **settings)
    before = phone.files()
    phone.succeeds(*call, **settings)
    assert phone.files() == before
    return said


def test_docker_waits_for_the_wifi_at_boot_with_openrc(phone: FakePhone) -> None:
    phone.with_wifi()
    phone.write("etc/conf.d/docker", 'DOCKER_OPTS="--debug"\nrc_need="mine"\n')
    said = changes_nothing_again(phone, *ENGINE)
    assert "Docker waits for the wifi at boot" in said
    settings = phone.read("etc/conf.d/docker")
    assert settings.startswith('DOCKER_OPTS="--debug"\nrc_need="mine"\n')
    assert 'rc_need="${rc_need-} wifi-online"' in settings
    service = phone.root / "etc/init.d/wifi-online"
    assert stat.S_IMODE(service.stat().st_mode) == 0o755


def test_docker_waits_for_the_wifi_at_boot_with_systemd(phone: FakePhone) -> None:
    phone.with_systemd()
    phone.with_wifi()
    changes_nothing_again(phone, *ENGINE)
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
    assert "installing Docker\n" in changes_nothing_again(phone, *ENGINE)
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


def test_a_user_without_a_home_has_no_place_for_the_key(phone: FakePhone) -> None:
    phone.program("getent", "")
    phone.write("etc/passwd", "me:x:1000:1000::/no/such/place:/bin/sh\n")
    assert phone.fails("contact.sh", "phone-2", "me", "1000", PUBLIC_KEY="ssh-ed25519 A me") == (
        "user me has no home directory; make one, sshd reads the key from there"
    )


def test_containers_are_spared_where_systemd_kills_for_memory_pressure(phone: FakePhone) -> None:
    phone.with_systemd()
    (phone.state / "systemd-oomd.service.there").touch()
    changes_nothing_again(phone, *ENGINE)
    slice_ = phone.read("etc/systemd/system/system.slice.d/20-cloudlet.conf")
    assert "ManagedOOMMemoryPressure=auto" in slice_


def test_a_phone_without_a_wifi_of_network_managers_waits_for_none(phone: FakePhone) -> None:
    phone.program("nmcli", 'case $* in *"device status"*) echo wlan0:wifi:unmanaged ;; esac\n')
    changes_nothing_again(phone, *ENGINE)
    assert not (phone.root / "etc/conf.d/docker").exists()
    assert (phone.state / "docker.enabled").exists()
    assert (phone.state / "docker.on").exists()
    assert (phone.state / "groups").read_text().strip() == "docker"


@pytest.mark.parametrize("init", ["openrc", "systemd"])
def test_destroy_takes_away_what_the_engine_and_the_firewall_were_given(
    phone: FakePhone, init: str
) -> None:
    if init == "systemd":
        phone.with_systemd()
    phone.program("gpasswd", 'rm "$STATE/groups"\n')
    phone.with_wifi()
    phone.with_firewall()
    phone.write("etc/conf.d/docker", 'DOCKER_OPTS="--debug"\n')
    phone.write("etc/passwd", f"cloudlet:x:10000:10000::{phone.root}:/bin/sh\n")
    before = phone.files()
    phone.succeeds("contact.sh", "phone-2", "cloudlet", "1000", PUBLIC_KEY="ssh-ed25519 AAAA me")
    phone.succeeds(*ENGINE)
    phone.succeeds(*NETWORK)
    phone.succeeds("restore.sh", "phone-2", "cloudlet", "no", "no", "no")
    after = phone.files()
    assert after.pop("root/.ssh/authorized_keys")[1] == "ssh-ed25519 AAAA me\n"
    assert after == before


@pytest.mark.parametrize(("state", "left"), [("inactive", "mine"), ("active", "mine task")])
def test_destroy_takes_a_swarms_stopped_tasks_off_a_phone_that_has_left_it(
    phone: FakePhone, state: str, left: str
) -> None:
    (phone.state / "docker.on").touch()
    containers = phone.state / "containers"
    containers.write_text("mine\ntask\n")
    phone.program(
        "docker",
        rf"""case $* in
info*) echo {state} ;;
"ps -aq --filter label=com.docker.swarm.task.id") grep task "$STATE/containers" ;;
"rm -f "*) sed -i "/^$3\$/d" "$STATE/containers" ;;
esac
""",
    )
    phone.succeeds("restore.sh", "phone-2", "cloudlet", "yes", "yes", "yes")
    assert containers.read_text().split() == left.split()


def test_the_swarm_is_let_in_from_the_labs_network_and_lies_in_a_file(phone: FakePhone) -> None:
    phone.with_firewall()
    said = changes_nothing_again(phone, *NETWORK)
    assert "let the swarm in from 192.168.8.0/24 on wlan0" in said
    rules = phone.read("etc/nftables.d/60_cloudlet.nft")
    for words in ("tcp dport { 2377, 7946 }", "udp dport { 7946, 4789 }", "ip protocol esp"):
        assert f'iifname "wlan0" ip saddr 192.168.8.0/24 {words} accept' in rules
    chain = (phone.state / "chain").read_text()
    assert chain.count("cloudlet-swarm 192.168.8.12 4789") == 3
    assert "tcp dport 22 accept\n" in chain, "what was there stays: nothing is flushed"


def test_another_port_takes_the_place_of_the_one_before(phone: FakePhone) -> None:
    phone.with_firewall()
    phone.succeeds(*NETWORK)
    changes_nothing_again(phone, *NETWORK[:3], "4790")
    chain = (phone.state / "chain").read_text()
    assert chain.count("cloudlet-swarm") == chain.count("192.168.8.12 4790") == 3


def test_rules_that_are_loaded_are_loaded_again_after_somebody_took_one(phone: FakePhone) -> None:
    phone.with_firewall()
    phone.succeeds(*NETWORK)
    chain = phone.state / "chain"
    chain.write_text("".join(chain.read_text().splitlines(keepends=True)[:-1]))
    changes_nothing_again(phone, *NETWORK)
    assert chain.read_text().count("cloudlet-swarm") == 3


def test_nothing_is_done_where_no_firewall_runs(phone: FakePhone) -> None:
    before = phone.files()
    assert "no firewall" in phone.succeeds(*NETWORK)
    assert phone.files() == before


def test_a_firewall_that_forgets_at_boot_is_not_half_opened(phone: FakePhone) -> None:
    phone.with_firewall(read_at_boot=False)
    before = phone.files()
    assert phone.fails(*NETWORK) == (
        "the phone's firewall drops what comes in, and it does not read "
        f"{phone.root}/etc/nftables.d at boot. "
        "Let 2377/tcp, 7946/tcp, 7946/udp and 4789/udp in, or include it"
    )
    assert phone.files() == before


def test_an_address_that_is_not_the_phones_is_named_with_what_it_has(phone: FakePhone) -> None:
    assert phone.fails("network.sh", "phone-2", "192.168.8.99", PORT) == (
        "phones.phone-2.address is 192.168.8.99, but the phone has 192.168.8.12; write the one "
        "that the other phones reach, or give it for good with cloudlet:wifi.static"
    )


@pytest.mark.parametrize(("off", "set_"), [(0, False), (5, False), (-6, True), (-7200, True)])
def test_a_clock_is_set_where_it_is_off_by_more_than_5_s(
    phone: FakePhone, off: int, set_: bool
) -> None:
    (phone.state / "clock_off").write_text(str(off))
    phone.succeeds("clock.sh", "1000")
    assert any("-s" in call for call in phone.calls()) is set_


def test_a_clock_that_cannot_be_set_says_what_fails_then(phone: FakePhone) -> None:
    phone.program("date", "case $* in *-s*) exit 1 ;; *) echo 1 ;; esac\n")
    assert phone.fails("clock.sh", "7201") == (
        "the clock is off by -7200 s and cannot be set; swarm's certificates would be refused"
    )


def test_a_survey_tells_of_a_phone_whose_docker_is_off_and_changes_nothing(
    phone: FakePhone,
) -> None:
    phone.with_firewall()
    before = phone.files()
    told = phone.succeeds("survey.sh", "cloudlet")
    assert "clock=1000\nroot=yes\n" in told
    assert "docker=stopped\ndocker_at_boot=no\n" in told
    assert "firewall=drops\nfirewall_lets_in=\nfirewall_at_boot=\n" in told
    assert phone.files() == before


def test_a_survey_tells_of_a_phone_that_was_made_ready(phone: FakePhone) -> None:
    phone.with_wifi()
    phone.with_firewall()
    phone.write("etc/docker/daemon.json", "{}")
    phone.write("sys/class/power_supply/battery/type", "Battery\n")
    phone.write("sys/class/power_supply/battery/capacity", "87\n")
    phone.succeeds(*ENGINE)
    phone.succeeds(*NETWORK)
    told = phone.succeeds("survey.sh", "cloudlet")
    for line in (
        "docker=running",
        "docker_version=28.3.3",
        "docker_at_boot=yes",
        "docker_awaits_wifi=yes",
        "user_may_use_docker=yes",
        "daemon_json=e30=",
        "wifi_device=wlan0",
        "battery_percent=87",
        "firewall_lets_in=3 192.168.8.12 4789",
        "firewall_at_boot=3 192.168.8.12 4789",
    ):
        assert f"{line}\n" in told


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


@pytest.mark.parametrize("docker_runs", [True, False])
def test_the_free_disk_is_that_of_dockers_data(phone: FakePhone, docker_runs: bool) -> None:
    assert "free_disk_mb=9000\n" in phone.succeeds("survey.sh", "cloudlet")
    card = phone.root / "card"
    card.mkdir()
    if docker_runs:
        phone.succeeds(*ENGINE)
        (phone.state / "docker_root").write_text(f"{card}/docker")
    else:
        phone.write(DAEMON_JSON, f'{{\n  "data-root": "{card}/docker"\n}}')
    assert "free_disk_mb=64000\n" in phone.succeeds("survey.sh", "cloudlet")
    (phone.state / "free_disk").write_text("1")
    phone.succeeds("preflight.sh", "host")


def test_a_phone_that_has_all_that_swarm_needs_passes_and_is_left_alone(phone: FakePhone) -> None:
    before = phone.files()
    phone.succeeds("preflight.sh", "mesh")
    assert phone.files() == before


def test_all_that_a_phone_lacks_for_swarm_is_one_error(phone: FakePhone) -> None:
    for fault in ("no_modules", "no_vxlan"):
        (phone.state / fault).touch()
    (phone.state / "free_disk").write_text("120")
    phone.write("proc/meminfo", "MemTotal: 262144 kB\n")
    phone.write("proc/filesystems", "ext4\n")
    (phone.root / "sys/fs/cgroup/cgroup.controllers").unlink()
    assert phone.fails("preflight.sh", "mesh") == (
        "this phone cannot be in a swarm:\n"
        "  - the kernel has no overlay filesystem (CONFIG_OVERLAY_FS)\n"
        "  - the kernel has no VXLAN (CONFIG_VXLAN), so no overlay networks\n"
        "  - the kernel has no bridge netfilter (CONFIG_BRIDGE_NETFILTER)\n"
        "  - the kernel has no ip_vs (CONFIG_IP_VS): set cloudlet:routing to host\n"
        f"  - no cgroups are mounted at {phone.root}/sys/fs/cgroup\n"
        "  - 256 MB of memory; 400 are needed\n"
        f"  - 120 MB free under {phone.root}/var/lib/docker; 500 are needed\n"
        "A newer kernel of the phone's postmarketOS port may have what is missing."
    )
    assert "ip_vs" not in phone.fails("preflight.sh", "host")


@pytest.mark.parametrize(
    ("tool", "folder", "file", "rule"),
    [
        ("sudo", "etc", "etc/sudoers.d/zz-cloudlet-me", "me ALL=(ALL) NOPASSWD: ALL\n"),
        ("doas", "etc/doas.d", "etc/doas.d/zz-cloudlet-me.conf", "permit nopass me\n"),
        ("doas", "etc", "etc/doas.conf", "permit persist :wheel\npermit nopass me\n"),
    ],
)
def test_the_rule_for_root_is_read_last(
    phone: FakePhone, tool: str, folder: str, file: str, rule: str
) -> None:
    (phone.root / folder).mkdir(exist_ok=True)
    phone.write("etc/doas.conf", "permit persist :wheel\n")
    said = changes_nothing_again(phone, "root_rule.sh", tool, "me")
    assert said == f"{phone.root}/{file}\n"
    assert phone.read(file) == rule
    assert stat.S_IMODE((phone.root / file).stat().st_mode) in (0o440, 0o400)
