"""What a phone should be like and what a survey saw, as words that a plan can show. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from . import daemon_json
from .survey import Docker, Firewall, Survey, Wifi

PRIORITY = 100
# Beyond what is set right by clock.sh, which counts whole seconds, whatever the round took.
CLOCK_SECONDS = 7
# Swarm's three ports and encrypted overlays, as network.sh has them.
FIREWALL_RULES = 3

# In the order in which they are mended: without root nothing is, and without the right clock or the
# wifi Docker does not find its swarm.
ASPECTS = ("root", "clock", "wifi", "daemon_json", "boot", "docker", "firewall")

# What is and what should be, as one sentence.
_SENTENCES = {
    "root": "becoming root {}, should be {}",
    "clock": "clock is {}, should be {}",
    "wifi": "wifi is {}, should be {}",
    "boot": "boot {}, should be one that {}",
    "docker": "docker is {}, should be {}",
    "firewall": "firewall {}, should be one that {}",
}


def wanted(*, ssid: str | None, daemon: Mapping[str, Any]) -> dict[str, Any]:
    """Each aspect of a phone that is as it should be; ``wifi`` only where it is on the lab's."""
    aspects: dict[str, Any] = {
        "root": "without a password",
        "clock": "right",
        "daemon_json": dict(daemon),
        "boot": "starts Docker",
        "docker": "running",
        "firewall": "lets swarm in",
    }
    if ssid is not None:
        aspects["wifi"] = f"{ssid.strip()}, priority {PRIORITY}"
    return aspects


def seen(
    survey: Survey, *, daemon: Mapping[str, Any], address: str, data_path_port: int
) -> dict[str, Any]:
    """Every aspect as the phone has it; what is right reads as :func:`wanted` has it.

    ``daemon`` are our keys of ``daemon.json``.
    """
    return {
        "root": "without a password" if survey.root else "asks for a password",
        "clock": _clock(survey.clock_off),
        "daemon_json": _daemon(survey.docker.daemon_json, daemon),
        "boot": _boot(survey.docker),
        "docker": _docker(survey.docker),
        "firewall": _firewall(survey.firewall, f"{FIREWALL_RULES} {address} {data_path_port}"),
        "wifi": _wifi(survey.wifi),
    }


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> Sequence[str]:
    """The aspects in which the two differ, in the order in which they are mended."""
    return [aspect for aspect in ASPECTS if one.get(aspect) != other.get(aspect)]


def describe(aspect: str, is_: Any, should_be: Any) -> str:
    """A few words for a person about an aspect that is not what it should be."""
    if aspect != "daemon_json":
        return _SENTENCES[aspect].format(_value(is_), _value(should_be))
    if not isinstance(is_, Mapping) or not isinstance(should_be, Mapping):
        return f"daemon.json {_value(is_)}"
    one, other = cast("Mapping[str, Any]", is_), cast("Mapping[str, Any]", should_be)
    return "daemon.json: " + "; ".join(
        f"{key} is {_value(one.get(key))}, should be {_value(other.get(key))}"
        for key in sorted({*one, *other})
        if one.get(key) != other.get(key)
    )


def advise(aspect: str, is_: Any) -> str:
    """What its owner has to do about it: mend a file that Docker would not take. Else nothing."""
    if aspect == "daemon_json" and not isinstance(is_, Mapping):
        return "mend or remove it on the phone"
    return ""


def _value(value: Any) -> str:
    if value is None:
        return "missing"
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _clock(off: float) -> str:
    if abs(off) <= CLOCK_SECONDS:
        return "right"
    return f"{abs(off):.0f} s {'ahead' if off > 0 else 'behind'}"


def _daemon(text: str, ours: Mapping[str, Any]) -> Any:
    try:
        current = daemon_json.parse(text)
    except daemon_json.DaemonJsonError as error:
        return str(error)
    if daemon_json.merge(current, ours) == current:
        return dict(ours)
    return {key: current[key] for key in ours if key in current}


def _boot(docker: Docker) -> str:
    if not docker.at_boot:
        return "does not start Docker"
    if docker.awaits_wifi is False:
        return "starts Docker without waiting for the wifi"
    return "starts Docker"


def _docker(docker: Docker) -> str:
    if docker.state == "running" and not docker.user_may_use:
        return "running, but the user may not use it"
    if docker.lost_rules:
        return "running, but without its firewall rules"
    return docker.state


def _firewall(firewall: Firewall | None, rules: str) -> str:
    if firewall is None or firewall.now == firewall.at_boot == rules:
        return "lets swarm in"
    return "keeps swarm out" + (" after the next boot" if firewall.now == rules else "")


def _wifi(wifi: Wifi | None) -> str:
    if wifi is None:
        return "no wifi device"
    if not wifi.ssid:
        return "on no network"
    by_itself = "" if wifi.autoconnect else ", not joined by itself"
    return f"{wifi.ssid}, priority {wifi.priority}{by_itself}"
