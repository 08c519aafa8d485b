"""What a phone needs and how it is kept true, on phones that differ as the field's do."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from asking import WIFI_PASSWORD, changed, container, host_of, join, ready, whole
from labkit import KINDS, PHONES, Lab, Run, wait_for
from phonekit import switch

from components.docker_config import put_keys
from components.phones.survey import survey
from components.remote import shell
from components.remote.ssh import PhoneError


@pytest.fixture(scope="module")
def first_up(lab: Lab) -> Iterator[Run]:
    """The phones and their swarm, and no stack on them."""
    lab.configure(stacks=None, secrets=None)
    yield lab.up()
    lab.configure(stacks=None, secrets=None)
    lab.destroy().ok()
    lab.configure()


@pytest.fixture(scope="module")
def phones(lab: Lab, first_up: Run) -> Lab:
    first_up.ok()
    return lab


def test_phones_are_made_ready_side_by_side(first_up: Run) -> None:
    lines = first_up.ok().output.splitlines()

    def at(phone: str, word: str) -> int:
        return next(i for i, line in enumerate(lines) if f"{phone}-contact {word}" in line)

    assert max(at(phone, "creating") for phone in PHONES) < min(
        at(phone, "created") for phone in PHONES
    )


@pytest.mark.parametrize("phone", PHONES)
def test_root_asks_for_no_password_and_the_password_is_on_no_phone(phones: Lab, phone: str) -> None:
    tool = "doas" if "doas" in KINDS[phone] else "sudo"
    assert phones.on(phone, f"su cloudlet -c '{tool} -n id -u'").strip() == "0"
    assert phones.on(phone, "grep -rl my-secure-password /run /tmp /etc 2>/dev/null; true") == ""


SCRIPTS = {
    "contact.sh": ["PHONE", "cloudlet", "NOW"],
    "engine.sh": ["cloudlet"],
    "network.sh": ["PHONE", "ADDRESS", "4789"],
    "clock.sh": ["NOW"],
    "preflight.sh": ["host"],
    "survey.sh": ["cloudlet"],
    "daemon_json.sh": ["PHONE", "read"],
    "root_rule.sh": ["TOOL", "cloudlet"],
    "boot_identity.sh": [],
    "wifi_address.sh": [],
    "wifi.sh": ["join", "cloudlet", "", "ut-public"],
}


@pytest.mark.parametrize("phone", PHONES)
def test_a_second_run_of_every_script_changes_nothing(phones: Lab, phone: str) -> None:
    """With the phone's own shell, and under BusyBox with all its own programs in front of those."""
    before = whole(phones, phone)
    key = phones.on(phone, "head -n 1 /home/cloudlet/.ssh/authorized_keys").strip()
    values = {
        "PHONE": phone,
        "ADDRESS": phones.value("phones")[phone]["address"],
        "TOOL": "doas" if "doas" in KINDS[phone] else "sudo",
    }
    secrets = {
        "contact.sh": {"PUBLIC_KEY": key},
        "wifi.sh": {"WIFI_PASSWORD": WIFI_PASSWORD, "SWITCH": ""},
        "daemon_json.sh": {"CONTENT": ""},
    }
    phones.on(phone, "mkdir -p /run/bb && busybox --install -s /run/bb")
    for path in ("/usr/sbin:/usr/bin:/sbin:/bin", "/run/bb:/usr/sbin:/usr/bin:/sbin:/bin"):
        command = [
            "docker",
            "exec",
            "-i",
            container(phone),
            "env",
            f"PATH={path}",
            "sh",
            "-s",
            "--",
        ]
        for script, arguments in SCRIPTS.items():
            given = [
                str(int(time.time())) if word == "NOW" else values.get(word, word)
                for word in arguments
            ]
            done = subprocess.run(
                [*command, *given],
                input=shell.script(script, secrets.get(script)),
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == 0, f"{script}: {done.stderr}"
    assert whole(phones, phone) == before


def test_all_phones_are_surveyed_within_3_s(phones: Lab) -> None:
    hosts = [host_of(phones, phone) for phone in PHONES]
    started = time.monotonic()
    with ThreadPoolExecutor(len(hosts)) as pool:
        seen = list(pool.map(survey, hosts))
    assert time.monotonic() - started < 3
    assert {one.docker.state for one in seen} == {"running"}
    assert [one.firewall is not None for one in seen] == ["firewall" in KINDS[p] for p in PHONES]


def test_a_change_behind_pulumis_back_is_shown_in_words_and_just_that_is_mended(
    phones: Lab,
) -> None:
    phones.lab("clock", "phone-1", "-7200").ok()
    phones.on("phone-1", "rm /etc/sudoers.d/zz-cloudlet-cloudlet")
    phones.on(
        "phone-2", "rm /etc/doas.d/zz-cloudlet-cloudlet.conf; rc-update delete docker default"
    )
    switch(phones, "phone-2", "stop", "docker")
    phones.on("phone-3", "nmcli connection modify cloudlet connection.autoconnect-priority 3")
    phones.on("phone-3", 'sed -i \'s/"5m"/"9m"/\' /etc/docker/daemon.json')
    # A firewall that starts anew flushes all rules, Docker's too.
    phones.on("phone-4", "rm /etc/nftables.d/60_cloudlet.nft; rc-service nftables restart 2>&1")
    shown = phones.pulumi("preview", "--refresh").ok()
    for line in (
        "phone-1: becoming root asks for a password, should be without a password",
        "phone-2: becoming root asks for a password, should be without a password",
        "phone-2: boot does not start Docker, should be one that starts Docker",
        "phone-2: docker is stopped, should be running",
        "phone-3: wifi is cloudlet, priority 3, should be cloudlet, priority 100",
        'phone-3: daemon.json: log-opts is {"max-file": "2", "max-size": "9m"}, should be '
        '{"max-file": "2", "max-size": "5m"}',
        "phone-4: docker is running, but without its firewall rules, should be running",
        "phone-4: firewall keeps swarm out, should be one that lets swarm in",
    ):
        assert f"{line}; `make up` mends it\n" in shown.output.partition("Diagnostics:")[2]
    behind = re.search(r"phone-1: clock is (7[12]\d\d) s behind, should be right;", shown.output)
    assert behind, shown.output
    conditions = {f"{phone}-condition" for phone in PHONES}
    assert changed(shown) == {*conditions, "swarm-phone-2"}
    phones.pulumi("up", "--refresh", "--yes", "--skip-preview").ok()
    assert phones.on("phone-4", "iptables -w -t nat -n -L DOCKER")
    phones.pulumi("preview", "--refresh", "--expect-no-changes").ok()
    assert all(wait_for(lambda p=p: ready(phones, p), 30) for p in PHONES)


def test_a_phone_that_is_off_is_told_once_and_stays_in_the_state(phones: Lab) -> None:
    phones.lab("stop", "phone-4").ok()
    try:
        done = phones.pulumi("refresh", "--yes", "--skip-preview").ok()
        # Once as it happens, and once in the summary at the end.
        assert done.output.count("phone-4 does not answer") == 2
        phones.pulumi("preview", "--expect-no-changes").ok()
    finally:
        phones.lab("start", "phone-4").ok()


def test_a_broken_daemon_json_is_reported_and_left_as_it_is(phones: Lab) -> None:
    before = phones.on("phone-4", "cat /etc/docker/daemon.json")
    phones.on("phone-4", "printf '{,}' >/etc/docker/daemon.json")
    done = phones.pulumi("up", "--refresh", "--yes", "--skip-preview")
    assert done.status != 0
    assert "phone-4: /etc/docker/daemon.json is not JSON" in done.output
    assert "mend or remove it, cloudlet leaves it as it is" in done.output
    assert "Traceback" not in done.output
    assert phones.on("phone-4", "cat /etc/docker/daemon.json") == "{,}"
    phones.on("phone-4", f"cat >/etc/docker/daemon.json <<'END'\n{before}END")
    phones.pulumi("up", "--refresh", "--yes", "--skip-preview").ok()


@pytest.mark.parametrize("phone", PHONES)
def test_what_docker_refuses_never_gets_into_its_file(phones: Lab, phone: str) -> None:
    before = whole(phones, phone)
    with pytest.raises(PhoneError, match=f"^{phone}: Docker refuses .*: no-such-key. What this"):
        put_keys(host_of(phones, phone), {"no-such-key": "1"})
    assert whole(phones, phone) == before, "and Docker ran on"


@pytest.mark.slow
@pytest.mark.parametrize("phone", PHONES[1:3])
def test_a_file_with_which_docker_does_not_run_goes_again(phones: Lab, phone: str) -> None:
    """It takes a minute: so long a Docker on a slow phone may need."""
    before = whole(phones, phone)
    with pytest.raises(
        PhoneError, match=rf"(?s)^{phone}: Docker did not run with the new .*/proc/no-such"
    ):
        put_keys(host_of(phones, phone), {"data-root": "/proc/no-such-place"})
    after = whole(phones, phone)
    assert after.pop("dockerd") != before.pop("dockerd")
    assert after == before
    assert wait_for(lambda: ready(phones, phone), 30)


BACK = "The phone is on wifi 'cloudlet'"


def test_a_wifi_that_fails_costs_no_connection_and_the_error_says_which_way(phones: Lab) -> None:
    before = whole(phones, "phone-2")
    with pytest.raises(PhoneError, match=r"^phone-2 could not join .* does not take the password"):
        join(phones, "phone-2", "cloudlet", "another-password")
    with pytest.raises(PhoneError, match=f"^phone-2 could not join .* no such network .* {BACK}"):
        join(phones, "phone-2", "no-such-network")
    assert whole(phones, "phone-2") == before


@pytest.mark.slow
def test_a_wifi_that_leads_nowhere_is_left_again(phones: Lab) -> None:
    before = whole(phones, "phone-2")
    phones.lab("air", "phone-2", "add", "dead-end", "--password", WIFI_PASSWORD, "--no-route").ok()
    with pytest.raises(PhoneError, match=f"^phone-2 joined wifi 'dead-end' but .* route .* {BACK}"):
        join(phones, "phone-2", "dead-end")
    phones.lab("air", "phone-2", "remove", "dead-end").ok()
    assert whole(phones, "phone-2") == before


@pytest.mark.slow
def test_a_phone_that_cannot_be_reached_on_its_new_wifi_goes_back_by_itself(phones: Lab) -> None:
    """SSH is closed for as long as the new profile is the active one."""
    phones.lab("air", "phone-2", "add", "island", "--password", WIFI_PASSWORD).ok()
    closed = "iptables -{} INPUT -p tcp --dport 22 -j DROP 2>/dev/null"
    # The first rule makes a chain, which stays.
    phones.on("phone-2", f"{closed.format('A')}; {closed.format('D')}")
    before = whole(phones, "phone-2")
    watcher = subprocess.Popen(
        [
            *("docker", "exec", container("phone-2"), "sh", "-c"),
            "while sleep 0.1 && [ ! -e /run/open-again ]; do "
            "if nmcli -t -f NAME connection show --active | grep -q candidate; "
            f"then {closed.format('C')} || {closed.format('A')}; else {closed.format('D')}; fi; "
            "done",
        ]
    )
    try:
        with pytest.raises(PhoneError, match="joined wifi 'island', but could not be reached"):
            join(phones, "phone-2", "island")
    finally:
        phones.on("phone-2", "touch /run/open-again")
        watcher.wait(timeout=20)
        phones.on("phone-2", f"rm /run/open-again; {closed.format('D')} || true")
        phones.lab("air", "phone-2", "remove", "island").ok()
    assert whole(phones, "phone-2") == before


def test_an_up_with_a_wrong_wifi_password_leaves_every_phone_on_its_wifi(phones: Lab) -> None:
    wrong = "coffee-for-everyone"
    phones.configure()
    portainer = phones.value("secrets")["PORTAINER_ADMIN_PASSWORD"]
    phones.configure(stacks=None, secrets=None, wifiPassword=portainer)
    done = phones.up()
    phones.configure(stacks=None, secrets=None)
    assert done.status != 0
    assert "could not join wifi 'cloudlet': it does not take the password" in done.output
    assert wrong not in done.output
    assert "Traceback" not in done.output
    for phone in PHONES:
        active = phones.on(phone, "nmcli -t -f NAME,DEVICE connection show --active")
        assert "cloudlet:wlan0" in active.splitlines()
    phones.up().ok()
    phones.pulumi("preview", "--refresh", "--expect-no-changes").ok()


def test_phones_of_every_kind_are_back_in_the_swarm_within_60_s_of_a_reboot(phones: Lab) -> None:
    rebooted = PHONES[1:]
    assert all(wait_for(lambda p=p: ready(phones, p), 30) for p in rebooted)
    started = time.monotonic()
    with ThreadPoolExecutor(len(rebooted)) as pool:
        for done in pool.map(lambda phone: phones.lab("reboot", phone), rebooted):
            done.ok()
    for phone in rebooted:
        left = 60 - (time.monotonic() - started)
        assert wait_for(lambda p=phone: ready(phones, p), left), phone
    phones.pulumi("preview", "--refresh", "--expect-no-changes").ok()


def test_a_fifth_phone_touches_none_of_the_four_nor_do_host_keys_that_are_written_down(
    phones: Lab,
) -> None:
    shown = phones.outputs()["phones"]
    four = {
        name: {**phone, "hostKey": shown[name]["hostKey"]}
        for name, phone in phones.value("phones").items()
    }
    fifth = {
        "address": four["phone-4"]["address"].rpartition(".")[0] + ".15",
        "ssh": {**four["phone-4"]["ssh"], "port": 2205},
    }
    phones.configure(stacks=None, secrets=None, phones={**four, "phone-5": fifth})
    done = phones.pulumi("preview").ok()
    phones.configure(stacks=None, secrets=None)
    touched = changed(done)
    assert "phone-5-engine" in touched
    assert not {name for name in touched if any(phone in name for phone in PHONES)}


def test_a_replaced_phone_is_refused_until_its_owner_says_that_it_is_another(phones: Lab) -> None:
    phones.lab("replace", "phone-4").ok()
    done = phones.pulumi("preview", "--refresh").ok()
    assert "shows another host key than the one recorded" in done.output
    assert "run `make adopt PHONE=phone-4 USB=" in done.output
    rest = phones.value("phones")
    del rest["phone-4"]
    phones.configure(stacks=None, secrets=None, phones=rest)
    phones.up().ok()
    phones.configure(stacks=None, secrets=None)
    phones.up().ok()
    assert wait_for(lambda: ready(phones, "phone-4"), 30)
