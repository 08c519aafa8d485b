"""What a phone is and how it is doing: one script, one SSH connection, whatever is off on it.

All that a refresh reads of a phone comes from here, so that a phone is asked once in a run,
however many of its resources want to know.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from components.dynamic import checked, tell
from components.memo import forget, once
from components.remote import shell
from components.remote.ssh import Host, PhoneError, connect

# A refresh reads all of a phone's resources within moments of each other.
RECENT_SECONDS = 20.0
SURVEY_SECONDS = 45.0
# As root where root asks nothing, else as the user: a survey must not end with the rule that let
# it in.
_COMMAND = (
    f"if {shell.AS_ROOT}true </dev/null >/dev/null 2>&1; "
    "then exec {as_root}; else exec {as_user}; fi"
)

FACTS = (
    "architecture",
    "docker_version",
    "model",
    "kernel",
    "os",
    "memory_mb",
    "free_disk_mb",
    "battery_percent",
    "battery_decidegrees",
)


@dataclass(frozen=True, kw_only=True)
class Wifi:
    """The wifi device and what it is on; ``ssid`` is empty where it is on nothing.

    ``signal`` is NetworkManager's percentage, ``None`` where it does not tell.
    """

    device: str
    ssid: str
    autoconnect: bool
    priority: int
    signal: int | None


@dataclass(frozen=True, kw_only=True)
class Docker:
    """``state`` is silent where the service runs and gives no answer.

    ``awaits_wifi`` is ``None`` on a phone without a wifi of NetworkManager's. ``containers`` is how
    many run, ``None`` where Docker gives no answer. ``lost_rules`` is whether somebody flushed the
    firewall rules that it made.
    """

    state: Literal["running", "stopped", "silent", "missing"]
    at_boot: bool
    awaits_wifi: bool | None
    user_may_use: bool
    containers: int | None
    lost_rules: bool
    version: str
    daemon_json: str


@dataclass(frozen=True, kw_only=True)
class SwarmBelief:
    """What the phone itself believes, which makes it no member: Docker's ``LocalNodeState``,
    ``NodeID`` and ``NodeAddr``, where it told the others to reach it. ``cluster_id`` is told to
    managers only; all is empty where Docker is silent."""

    state: str
    node_id: str
    address: str
    manager: bool
    cluster_id: str
    error: str


@dataclass(frozen=True, kw_only=True)
class Firewall:
    """Which of our rules a firewall that drops what comes in has, now and after the next boot.

    Each is how many rules, the address and the data path port: ``3 192.168.8.12 4789``.
    """

    now: str
    at_boot: str


@dataclass(frozen=True, kw_only=True)
class Survey:
    """One phone at one moment.

    ``root`` is whether becoming root asked nothing; ``firewall`` is ``None`` where none drops, and
    where we may not look. ``clock_off`` is by how many seconds the phone's clock is ahead of ours.
    Facts that the phone does not tell are left out of ``facts``, see :data:`FACTS`.
    """

    facts: Mapping[str, str]
    root: bool
    clock_off: float
    docker: Docker
    swarm: SwarmBelief
    wifi: Wifi | None
    firewall: Firewall | None
    free_memory_mb: int | None
    battery_percent: int | None
    battery_celsius: float | None

    @property
    def memory_mb(self) -> int | None:
        return _integer(self.facts.get("memory_mb", ""))

    @property
    def free_disk_mb(self) -> int | None:
        return _integer(self.facts.get("free_disk_mb", ""))


def survey(host: Host, *, patience: float = 8.0) -> Survey:
    """The phone as it is now; ``patience`` is how many seconds Docker and NetworkManager each get.

    Raises:
        PhoneError: it does not answer, or does not let us in.
    """
    command = _COMMAND.format(
        as_root=shell.command(host.user, root=True), as_user=shell.command(host.user)
    )
    with connect(host) as session:
        started = time.time()
        text = shell.script("survey.sh", {"SECONDS_FOR_ONE": f"{patience:.0f}"})
        result = session.run(command, text, SURVEY_SECONDS)
        return parse(checked(session, result), asked_at=started, answered_at=time.time())


def recent(host: Host) -> Survey | None:
    """The phone as it is now or was moments ago in this run, for whoever only reads.

    ``None`` where it cannot be reached, which is told once.
    """

    def ask() -> Survey | None:
        try:
            return survey(host)
        except PhoneError as error:
            tell(f"{error} It stays as it is in the state")
            return None

    return once(_key(host), ask, RECENT_SECONDS)


def outdated(host: Host) -> None:
    """For whoever has changed the phone: the next :func:`recent` asks anew."""
    forget(_key(host))


def parse(text: str, *, asked_at: float, answered_at: float) -> Survey:
    """What ``survey.sh`` printed; the two are our clock when it was started and had ended."""
    told = shell.parse_facts(text)
    return Survey(
        facts={name: told[name] for name in FACTS if told.get(name)},
        root=told.get("root") == "yes",
        clock_off=_off(float(told["clock"]), asked_at, answered_at),
        docker=_docker(told),
        swarm=SwarmBelief(
            state=told.get("swarm_state", ""),
            node_id=told.get("swarm_node_id", ""),
            address=told.get("swarm_address", ""),
            manager=told.get("swarm_manager") == "true",
            cluster_id=told.get("swarm_id", ""),
            error=told.get("swarm_error", ""),
        ),
        wifi=_wifi(told),
        firewall=_firewall(told),
        free_memory_mb=_integer(told.get("free_memory_mb", "")),
        battery_percent=_integer(told.get("battery_percent", "")),
        battery_celsius=_tenths(told.get("battery_decidegrees", "")),
    )


def _off(clock: float, earliest: float, latest: float) -> float:
    """How far ``clock`` is ahead: a slow answer makes no clock wrong."""
    return min(clock - earliest, 0.0) or max(clock - latest, 0.0)


def _docker(told: Mapping[str, str]) -> Docker:
    state = told.get("docker", "missing")
    awaits = told.get("docker_awaits_wifi")
    return Docker(
        state=state if state in ("running", "stopped", "silent") else "missing",
        at_boot=told.get("docker_at_boot") == "yes",
        awaits_wifi=None if awaits is None else awaits == "yes",
        user_may_use=told.get("user_may_use_docker") == "yes",
        containers=_integer(told.get("containers_running", "")),
        lost_rules=told.get("docker_rules") == "gone",
        version=told.get("docker_version", ""),
        daemon_json=base64.b64decode(told.get("daemon_json", "")).decode(errors="replace"),
    )


def _wifi(told: Mapping[str, str]) -> Wifi | None:
    if "wifi_device" not in told:
        return None
    return Wifi(
        device=told["wifi_device"],
        ssid=told.get("wifi_ssid", ""),
        autoconnect=told.get("wifi_autoconnect") == "yes",
        priority=_integer(told.get("wifi_priority", "")) or 0,
        signal=_integer(told.get("wifi_signal", "")),
    )


def _firewall(told: Mapping[str, str]) -> Firewall | None:
    if told.get("firewall") != "drops":
        return None
    return Firewall(now=told.get("firewall_lets_in", ""), at_boot=told.get("firewall_at_boot", ""))


def _integer(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _tenths(text: str) -> float | None:
    number = _integer(text)
    return None if number is None else number / 10


def _key(host: Host) -> tuple[str, Host]:
    return ("survey", host)
