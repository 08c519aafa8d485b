"""The scripts under a phone's shells: what they change, that they do so once, and what they say."""

from __future__ import annotations

import stat

import pytest
from fake_phone import DAEMON_JSON, ENGINE, NETWORK, FakePhone


def test_a_user_without_a_home_has_no_place_for_the_key(phone: FakePhone) -> None:
    phone.program("getent", "")
    phone.write("etc/passwd", "me:x:1000:1000::/no/such/place:/bin/sh\n")
    assert phone.fails("contact.sh", "phone-2", "me", "1000", PUBLIC_KEY="ssh-ed25519 A me") == (
        "user me has no home directory; make one, sshd reads the key from there"
    )


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


def test_destroy_takes_a_registry_along_that_moved_while_the_phone_was_off(
    phone: FakePhone,
) -> None:
    (phone.state / "docker.on").touch()
    phone.program(
        "docker",
        """case $* in
info*) echo inactive ;;
"ps -aq --filter label=cloudlet.registry") echo 1b2c ;;
rm*|"volume rm"*) echo "$*" >>"$STATE/gone" ;;
esac
""",
    )
    phone.succeeds("restore.sh", "phone-2", "cloudlet", "yes", "yes", "yes")
    gone = (phone.state / "gone").read_text().splitlines()
    assert gone == ["rm -f 1b2c", "volume rm cloudlet-registry"]


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
    said = phone.is_right_for_good("root_rule.sh", tool, "me")
    assert said == f"{phone.root}/{file}\n"
    assert phone.read(file) == rule
    assert stat.S_IMODE((phone.root / file).stat().st_mode) in (0o440, 0o400)
