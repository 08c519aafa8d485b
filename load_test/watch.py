"""Watching a lab while it is under load: each phone's figures, and what happens in its swarm."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.members.managers import PHONE_LABEL, any_manager
from components.remote.engine_api import Engine
from components.remote.shell import command, parse_facts
from components.remote.ssh import Host, PhoneError, connect
from operations.labs import Lab

EVERY_SECONDS = 3.0
ANSWER_SECONDS = 10.0
_SAMPLE = (Path(__file__).parent / "sample.sh").read_text()


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A phone at one moment. ``cores`` is how many it kept busy since the sample before.

    ``at`` is Unix time; the temperatures are ``None`` where the phone has none.
    """

    phone: str
    at: float
    cores: float
    memory_mb: int
    celsius: float | None
    battery_celsius: float | None


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that a reader of a plot wants marked; ``at`` is Unix time."""

    at: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Sight:
    """The swarm at one moment.

    ``nodes`` is each node's state and availability, by phone; ``places`` the phones on which each
    service runs; ``images`` what each service is to run, so that a change is an update.
    """

    nodes: Mapping[str, str]
    places: Mapping[str, tuple[str, ...]]
    images: Mapping[str, str]


@dataclass
class Watch:
    """What was seen; ended by :meth:`stop`. A phone that does not answer leaves a gap."""

    lab: Lab
    samples: list[Sample] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ended = threading.Event()
        hosts = self.lab.hosts.values()
        self._threads = [
            threading.Thread(target=self._phone, args=(host,), daemon=True) for host in hosts
        ]
        self._threads.append(threading.Thread(target=self._swarm, daemon=True))

    def start(self) -> Watch:
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(2 * ANSWER_SECONDS)

    def note(self, text: str) -> float:
        """Marks something that we did ourselves, now; returns the time."""
        now = time.time()
        self.events.append(Event(at=now, text=text))
        return now

    def _phone(self, host: Host) -> None:
        while not self._ended.is_set():
            try:
                with connect(host) as session:
                    before: tuple[float, float] | None = None
                    while not self._ended.is_set():
                        result = session.run(command(), _SAMPLE, ANSWER_SECONDS)
                        told, now = parse_facts(result.stdout), time.time()
                        spent = float(told["cpu_seconds"])
                        if before is not None:
                            cores = (spent - before[1]) / (now - before[0])
                            self.samples.append(_sample(host.name, now, cores, told))
                        before = now, spent
                        self._ended.wait(EVERY_SECONDS)
            except (PhoneError, KeyError, ValueError):
                self._ended.wait(EVERY_SECONDS)

    def _swarm(self) -> None:
        seen: Sight | None = None
        while not self._ended.is_set():
            try:
                with any_manager(self.lab.managers, self.lab.swarm_id) as manager:
                    while not self._ended.is_set():
                        now = look(manager)
                        if seen is not None:
                            at = time.time()
                            for text in changes(seen, now):
                                self.events.append(Event(at=at, text=text))
                        seen = now
                        self._ended.wait(1.0)
            except PhoneError:
                self._ended.wait(1.0)


def look(manager: Engine) -> Sight:
    """The swarm as this manager has it."""
    return sight(
        manager.get("/nodes"),
        manager.get("/services"),
        manager.get("/tasks", filters={"desired-state": ["running"]}),
    )


def sight(
    nodes: Sequence[Mapping[str, Any]],
    services: Sequence[Mapping[str, Any]],
    tasks: Sequence[Mapping[str, Any]],
) -> Sight:
    """Docker's answers as what a reader asks for."""
    names = {
        node["ID"]: (node["Spec"].get("Labels") or {}).get(PHONE_LABEL) or node["ID"]
        for node in nodes
    }
    called = {service["ID"]: service["Spec"]["Name"] for service in services}
    places: dict[str, list[str]] = {name: [] for name in called.values()}
    for task in tasks:
        service = called.get(task["ServiceID"])
        if service and task["Status"]["State"] == "running" and task.get("NodeID"):
            places[service].append(names.get(task["NodeID"], task["NodeID"]))
    return Sight(
        nodes={
            names[node["ID"]]: f"{node['Status']['State']}, {node['Spec']['Availability']}"
            for node in nodes
        },
        places={name: tuple(sorted(there)) for name, there in places.items()},
        images={
            service["Spec"]["Name"]: service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
            for service in services
        },
    )


def changes(before: Sight, after: Sight) -> list[str]:
    """What happened between two looks, in words for a plot."""
    told: list[str] = []
    for phone in sorted({*before.nodes, *after.nodes}):
        was, now = before.nodes.get(phone, "no member"), after.nodes.get(phone, "no member")
        if was != now:
            told.append(f"{phone}: {now}")
    told += [
        f"{short(name)} updated"
        for name in sorted(set(before.images) & set(after.images))
        if before.images[name] != after.images[name]
    ]
    for name in sorted(set(before.places) & set(after.places)):
        new = list(after.places[name])
        for phone in before.places[name]:
            if phone in new:
                new.remove(phone)
        told += [f"{short(name)} on {phone}" for phone in new]
    return told


def short(service: str) -> str:
    """A service's name without its stack's."""
    return service.removeprefix("go_coffee_").removeprefix("portainer_")


def _sample(phone: str, at: float, cores: float, told: Mapping[str, str]) -> Sample:
    def number(name: str) -> float | None:
        return float(told[name]) if name in told else None

    return Sample(
        phone=phone,
        at=at,
        cores=cores,
        memory_mb=int(told["memory_mb"]),
        celsius=number("celsius"),
        battery_celsius=number("battery_celsius"),
    )
