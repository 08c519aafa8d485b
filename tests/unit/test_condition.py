"""A phone's condition: what a plan shows of it, and that only what differs is mended."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from components import condition
from components.condition import ConditionProvider
from components.phones import aspects
from components.phones.survey import Firewall, Survey, Wifi, parse
from components.remote.ssh import Host, PhoneError, UnreachableError

HOST = Host(name="phone-7", host="h", port=22, user="cloudlet", key_file="k")
OURS = {"log-driver": "local", "registry-mirrors": ["http://m:5000"]}
WANTED = aspects.wanted(ssid="cloudlet", daemon=OURS)
RULES = "3 192.168.8.12 4789"
SOUND = replace(
    parse(
        "clock=1000\nroot=yes\ndocker=running\ndocker_at_boot=yes\n",
        asked_at=1000,
        answered_at=1001,
    ),
    wifi=Wifi(device="wlan0", ssid="cloudlet", autoconnect=True, priority=100, signal=60),
    firewall=Firewall(now=RULES, at_boot=RULES),
)
SOUND = replace(
    SOUND,
    docker=replace(SOUND.docker, user_may_use=True, awaits_wifi=True, daemon_json=json.dumps(OURS)),
)
PROPS: dict[str, Any] = {
    **WANTED,
    "phone": HOST.to_inputs(),
    "address": "192.168.8.12",
    # Numbers come as floats through Pulumi.
    "data_path_port": 4789.0,
    "daemon_keys": OURS,
    "wifi_settings": {"ssid": "cloudlet", "forget": [], "static": ""},
    "password": "phone-pass",
    "wifi_password": "wifi-pass",
}


def seen(survey: Survey) -> dict[str, Any]:
    return aspects.seen(survey, daemon=OURS, address="192.168.8.12", data_path_port=4789)


def docker(**changes: Any) -> Survey:
    return replace(SOUND, docker=replace(SOUND.docker, **changes))


def wifi(**changes: Any) -> Survey:
    assert SOUND.wifi is not None
    return replace(SOUND, wifi=replace(SOUND.wifi, **changes))


def test_a_sound_phone_differs_in_nothing() -> None:
    assert seen(SOUND) == WANTED
    assert not ConditionProvider().diff("phone-7", PROPS, PROPS).changes


@pytest.mark.parametrize(
    "survey",
    [
        replace(SOUND, firewall=None),
        replace(SOUND, clock_off=-6.5),
        docker(awaits_wifi=None),
        docker(
            daemon_json=json.dumps(
                {"log-driver": "local", "registry-mirrors": ["http://own", "http://m:5000"]}
            )
        ),
        docker(daemon_json=json.dumps({**OURS, "debug": True})),
    ],
    ids=["no firewall", "clock nearly right", "no wifi", "a mirror of the owner's", "his key"],
)
def test_what_is_the_owners_or_needs_nothing_is_no_difference(survey: Survey) -> None:
    assert seen(survey) == WANTED


DRIFT: dict[str, tuple[Survey, str]] = {
    "root": (
        replace(SOUND, root=False),
        "becoming root asks for a password, should be without a password",
    ),
    "clock": (replace(SOUND, clock_off=-7200.4), "clock is 7200 s behind, should be right"),
    "clock ahead": (replace(SOUND, clock_off=61.0), "clock is 61 s ahead, should be right"),
    "docker": (docker(state="stopped"), "docker is stopped, should be running"),
    "docker silent": (docker(state="silent"), "docker is silent, should be running"),
    "group": (
        docker(user_may_use=False),
        "docker is running, but the user may not use it, should be running",
    ),
    "rules": (
        docker(lost_rules=True),
        "docker is running, but without its firewall rules, should be running",
    ),
    "boot": (docker(at_boot=False), "boot does not start Docker, should be one that starts Docker"),
    "boot early": (
        docker(awaits_wifi=False),
        "boot starts Docker without waiting for the wifi, should be one that starts Docker",
    ),
    "priority": (
        wifi(priority=0),
        "wifi is cloudlet, priority 0, should be cloudlet, priority 100",
    ),
    "network": (
        wifi(ssid="ut-public", priority=0),
        "wifi is ut-public, priority 0, should be cloudlet, priority 100",
    ),
    "by hand": (
        wifi(autoconnect=False),
        "wifi is cloudlet, priority 100, not joined by itself, should be cloudlet, priority 100",
    ),
    "off": (wifi(ssid=""), "wifi is on no network, should be cloudlet, priority 100"),
    "firewall": (
        replace(SOUND, firewall=Firewall(now="", at_boot=RULES)),
        "firewall keeps swarm out, should be one that lets swarm in",
    ),
    "firewall at boot": (
        replace(SOUND, firewall=Firewall(now=RULES, at_boot="")),
        "firewall keeps swarm out after the next boot, should be one that lets swarm in",
    ),
    "firewall for another port": (
        replace(SOUND, firewall=Firewall(now="3 192.168.8.12 4790", at_boot=RULES)),
        "firewall keeps swarm out, should be one that lets swarm in",
    ),
    "daemon.json": (
        docker(daemon_json=json.dumps({**OURS, "log-driver": "syslog"})),
        "daemon.json: log-driver is syslog, should be local",
    ),
    "daemon.json gone": (
        docker(daemon_json=""),
        "daemon.json: log-driver is missing, should be local; "
        'registry-mirrors is missing, should be ["http://m:5000"]',
    ),
    "daemon.json broken": (
        docker(daemon_json="{,}"),
        "daemon.json is not JSON (Expecting property name enclosed in double quotes: line 1 "
        "column 2 (char 1))",
    ),
}


@pytest.mark.parametrize("case", DRIFT)
def test_a_refresh_shows_what_changed_in_words(
    case: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    survey, words = DRIFT[case]
    monkeypatch.setattr(condition, "recent", lambda _host: survey)
    read = ConditionProvider().read("phone-7", PROPS)
    assert read.outs is not None
    name = f"phone-{case}"  # another run for each: a line is told once in a run
    assert ConditionProvider().diff(name, read.outs, PROPS).changes
    assert ConditionProvider().diff(name, read.outs, PROPS).changes
    advice = "mend or remove it on the phone" if case.endswith("broken") else "`make up` mends it"
    assert capsys.readouterr().out == f"{name}: {words}; {advice}\n"


def test_what_the_configuration_changes_is_not_told_as_something_to_mend(
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = {"log-driver": "local"}
    news = {
        **PROPS,
        **aspects.wanted(ssid="attic", daemon=other),
        "daemon_keys": other,
        "wifi_settings": {**PROPS["wifi_settings"], "ssid": "attic"},
    }
    assert ConditionProvider().diff("phone-configured", PROPS, news).changes
    assert capsys.readouterr().out == (
        "phone-configured: wifi cloudlet, priority 100 → attic, priority 100\n"
        "phone-configured: daemon.json: registry-mirrors http://m:5000 → none\n"
    )


def test_another_registry_is_told_once_for_all_phones_and_that_docker_runs_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with_registry = {
        **OURS,
        "registry-mirrors": ["http://10.0.0.1:5082", "http://m:5000"],
        "insecure-registries": ["10.0.0.1:5080", "10.0.0.1:5082"],
    }
    news = {**PROPS, "daemon_json": with_registry, "daemon_keys": with_registry}
    for phone in ("phone-1", "phone-2"):
        assert ConditionProvider().diff(phone, PROPS, news).changes
    assert capsys.readouterr().out == (
        "daemon.json of the phones: other insecure-registries, registry-mirrors; Docker takes them "
        "up without a restart\n"
    )


def test_who_mends_is_not_told_to_have_it_mended(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = {**PROPS, "docker": "stopped"}
    for command, told in (("preview", "`make up` mends it"), ("up", "mended now")):
        monkeypatch.setenv("CLOUDLET_COMMAND", command)
        ConditionProvider().diff(f"phone-{command}", seen, PROPS)
        assert capsys.readouterr().out == (
            f"phone-{command}: docker is stopped, should be running; {told}\n"
        )


MOVED = {**OURS, "registry-mirrors": ["http://moved:5082"]}
NEWS = {**PROPS, "daemon_json": MOVED, "daemon_keys": MOVED}


def test_what_was_seen_before_does_not_colour_what_is_seen_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A refresh is handed what the last one saw, also where that was no JSON at all."""
    last = PROPS
    for text in ("{,}", "", json.dumps(OURS)):
        monkeypatch.setattr(condition, "recent", lambda _host, t=text: docker(daemon_json=t))
        read = ConditionProvider().read("phone-7", last)
        assert read.outs is not None
        last = read.outs
    assert not ConditionProvider().diff("phone-7", last, PROPS).changes


def test_a_phone_that_moved_is_measured_by_its_new_address_from_then_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rules = "3 192.168.8.94 4789"
    moved = replace(SOUND, firewall=Firewall(now=rules, at_boot=rules))
    monkeypatch.setattr(condition, "recent", lambda _host: moved)
    news = {**PROPS, "address": "192.168.8.94"}
    assert ConditionProvider().diff("phone-7", PROPS, news).changes
    outs = ConditionProvider().read("phone-7", news).outs
    assert outs is not None
    assert not ConditionProvider().diff("phone-7", outs, news).changes


def test_the_wifi_of_a_phone_that_has_its_owners_is_not_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    props = {key: value for key, value in PROPS.items() if key != "wifi"}
    monkeypatch.setattr(condition, "recent", lambda _host: wifi(ssid="home"))
    read = ConditionProvider().read("phone-7", props)
    assert read.outs is not None
    assert "wifi" not in read.outs


def test_a_phone_that_is_off_stays_in_the_state_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(condition, "recent", lambda _host: None)
    read = ConditionProvider().read("phone-7", PROPS)
    assert read.id == "phone-7"
    assert read.outs is not None
    assert not ConditionProvider().diff("phone-7", read.outs, PROPS).changes


def test_no_secret_comes_back_into_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(condition, "recent", lambda _host: SOUND)
    monkeypatch.setattr(condition, "_mend", lambda _host, _props: None)
    provider = ConditionProvider()
    for outs in (
        provider.create(PROPS).outs,
        provider.read("phone-7", PROPS).outs,
        provider.update("phone-7", PROPS, PROPS).outs,
    ):
        assert outs is not None
        assert outs["wifi"] == "cloudlet, priority 100"
        assert "pass" not in json.dumps({k: v for k, v in outs.items() if k not in WANTED})


class Mending:
    """A phone with faults, each of which goes when its repair is run (unless ``stubborn``)."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *faults: str) -> None:
        self.faults = list(faults)
        self.done: list[str] = []
        self.stubborn = False
        self.reachable = True
        monkeypatch.setattr(condition, "survey", lambda _host: self.survey())
        monkeypatch.setattr(condition, "connect", lambda _host: self)
        monkeypatch.setattr(condition.access, "open_up", self._open_up)
        for noun in condition._REPAIRS:
            monkeypatch.setitem(condition._REPAIRS, noun, self._repair(noun))

    def __enter__(self) -> Mending:
        if not self.reachable:
            raise UnreachableError("phone-7 does not answer")
        return self

    def __exit__(self, *_: object) -> None: ...

    def survey(self) -> Survey:
        changes = {
            "root": {"root": False},
            "clock": {"clock_off": 3600.0},
            "wifi": {"wifi": None},
            "firewall": {"firewall": Firewall(now="", at_boot="")},
            "docker": {"docker": replace(SOUND.docker, state="stopped")},
        }
        survey = SOUND
        for fault in self.faults:
            survey = replace(survey, **changes[fault])
        return survey

    def _open_up(self, _session: object, password: str) -> None:
        assert password == "phone-pass"
        self._mended("root")

    def _repair(self, noun: str) -> Any:
        return lambda _host, _props: self._mended(noun)

    def _mended(self, noun: str) -> None:
        if noun in self.faults and not self.stubborn:
            self.faults.remove(noun)
            self.done.append(noun)


@pytest.mark.parametrize("faults", [["docker"], ["firewall", "wifi", "clock", "root"]])
def test_up_mends_just_what_differs_and_root_first(
    monkeypatch: pytest.MonkeyPatch, faults: list[str]
) -> None:
    phone = Mending(monkeypatch, *faults)
    ConditionProvider().update("phone-7", PROPS, PROPS)
    assert phone.done == sorted(faults, key=aspects.ASPECTS.index)


def test_a_repair_that_does_not_help_is_an_error_that_says_what_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    phone = Mending(monkeypatch, "docker")
    phone.stubborn = True
    with pytest.raises(
        PhoneError, match="phone-7 could not be mended: docker is stopped, should be"
    ):
        ConditionProvider().update("phone-7", PROPS, PROPS)


def test_a_phone_that_is_off_when_it_is_to_be_mended_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Mending(monkeypatch, "docker").reachable = False
    with pytest.raises(UnreachableError, match="phone-7 does not answer"):
        ConditionProvider().update("phone-7", PROPS, PROPS)


def test_a_phone_that_is_off_is_told_of_a_registrys_new_place_by_a_later_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Mending(monkeypatch).reachable = False
    outs = ConditionProvider().update("phone-7", PROPS, NEWS).outs or {}
    assert ConditionProvider().diff("phone-7", outs, NEWS).changes
    assert not ConditionProvider().diff("phone-7", outs, PROPS).changes


def test_what_is_wrong_with_a_phone_that_is_off_waits_for_no_later_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Mending(monkeypatch).reachable = False
    for olds in (
        {**PROPS, "docker": "stopped"},
        {**PROPS, "address": "192.168.8.9"},
        {**PROPS, "daemon_json": {}},
    ):
        with pytest.raises(UnreachableError):
            ConditionProvider().update("phone-7", olds, NEWS)
