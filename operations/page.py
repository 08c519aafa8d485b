"""The page of a lab, to hang on a screen: one HTML file that needs nothing else; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path

from components.config.lab import Phone
from components.phones.survey import Survey
from components.remote.ssh import PhoneError

from .nodes import Node
from .running import NOTHING, Running, Service
from .status import Sight, node_of

_STYLE = Path(__file__).with_name("page.css")
# A battery above this ages fast, and swells in the end; one below that may soon be off.
_HOT_CELSIUS = 45.0
_EMPTY_PERCENT = 20
_FULL_MEMORY = 0.9


@dataclass(frozen=True, kw_only=True)
class Lab:
    """All that the page shows. ``pages`` are addresses by title, from the program's outputs.

    ``running`` is ``None`` where no manager tells what runs. ``notes`` are sentences.
    """

    name: str
    phones: Mapping[str, Phone]
    sight: Sight
    running: Running | None
    pages: Mapping[str, str]
    notes: Iterable[str]
    at: datetime


def html(lab: Lab, reload_seconds: int = 30) -> str:
    """The whole page; a browser that shows it looks for a newer one every so often."""
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="refresh" content="{reload_seconds}">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>cloudlet: {escape(lab.name)}</title>",
            f"<style>\n{_STYLE.read_text(encoding='utf-8')}</style></head><body>",
            *_head(lab),
            '<main class="phones">',
            *(line for name in lab.phones for line in _phone(lab, name)),
            "</main>",
            *_services(lab),
            *_notes(lab.notes),
            "</body></html>\n",
        )
    )


def _head(lab: Lab) -> Iterator[str]:
    marks = [_mark(lab, name)[0] for name in lab.phones]
    total = len(marks)
    yield f"<header><h1>{escape(lab.name)}</h1>"
    yield f'<p class="sum {_worst(marks)}">{marks.count("good")} of {total} phones are well</p>'
    yield f'<p class="sum {_swarm_mark(lab.sight)}">{_swarm(lab.sight)}</p>'
    for title, address in lab.pages.items():
        yield f'<a href="{escape(address)}">{escape(title)}</a>'
    yield f"<time>{lab.at:%Y-%m-%d %H:%M:%S}</time></header>"


def _managers(sight: Sight) -> tuple[int, int]:
    managers = [node for node in sight.nodes or () if node.role == "manager"]
    return sum(node.reachable for node in managers), len(managers)


def _swarm(sight: Sight) -> str:
    if sight.nodes is None:
        return "no manager answers"
    reachable, managers = _managers(sight)
    return f"{reachable} of {managers} managers hear each other"


def _swarm_mark(sight: Sight) -> str:
    reachable, managers = _managers(sight)
    if sight.nodes is None:
        return "bad"
    return "good" if reachable == managers else "warn"


def _worst(marks: Iterable[str]) -> str:
    return max(marks, key=("good", "warn", "bad").index, default="good")


def _mark(lab: Lab, name: str) -> tuple[str, str]:
    """How a phone is: good, warn or bad, and in words."""
    seen = lab.sight.phones[name]
    node = node_of(name, seen, lab.sight.nodes or ())
    if isinstance(seen, PhoneError):
        return "bad", "no answer"
    if seen.docker.state != "running":
        return "bad", f"Docker is {seen.docker.state}"
    if lab.sight.nodes is not None and node is None:
        return "bad", "no member"
    if node is not None and node.state != "ready":
        return "bad", node.state
    if node is not None and node.availability != "active":
        return "warn", node.availability
    if seen.battery_celsius is not None and seen.battery_celsius >= _HOT_CELSIUS:
        return "warn", "hot"
    if seen.battery_percent is not None and seen.battery_percent < _EMPTY_PERCENT:
        return "warn", "battery low"
    return "good", "well" if node is None else node.state


def _phone(lab: Lab, name: str) -> Iterator[str]:
    seen = lab.sight.phones[name]
    node = node_of(name, seen, lab.sight.nodes or ())
    mark, words = _mark(lab, name)
    role = node.role if node else lab.phones[name].role
    yield f'<section class="phone {mark}" id="{escape(name)}"><h2>{escape(name)}</h2>'
    leader = ' <span class="leader">leader</span>' if node and node.leader else ""
    yield f'<p class="role {escape(role)}">{escape(role)}{leader}</p>'
    yield f'<p class="state">{escape(words)}</p>'
    yield f'<p class="address">{escape(lab.phones[name].address)}</p>'
    if not isinstance(seen, PhoneError):
        yield from _condition(seen)
    yield from _tasks(lab.running or NOTHING, node)
    yield "</section>"


def _condition(seen: Survey) -> Iterator[str]:
    # A phone without a name of its own calls its architecture its model.
    known = dict.fromkeys((seen.facts.get("model", ""), seen.facts.get("architecture", "")))
    yield f'<p class="model">{escape(" · ".join(filter(None, known)))}</p><dl>'
    if seen.battery_percent is not None:
        heat = "" if seen.battery_celsius is None else f", {seen.battery_celsius:.0f} °C"
        yield _bar("battery", seen.battery_percent / 100, f"{seen.battery_percent} %{heat}")
    if seen.memory_mb and seen.free_memory_mb is not None:
        used = seen.memory_mb - seen.free_memory_mb
        yield _bar("memory", used / seen.memory_mb, f"{used} of {seen.memory_mb} MB")
    if seen.free_disk_mb is not None:
        yield f"<dt>free disk</dt><dd>{seen.free_disk_mb / 1024:.1f} GB</dd>"
    if seen.wifi is not None:
        signal = "" if seen.wifi.signal is None else f", {seen.wifi.signal} %"
        yield f"<dt>wifi</dt><dd>{escape(seen.wifi.ssid or 'off')}{signal}</dd>"
    yield "</dl>"


def _bar(name: str, share: float, words: str) -> str:
    low = share * 100 < _EMPTY_PERCENT if name == "battery" else share > _FULL_MEMORY
    width = round(100 * min(max(share, 0), 1))
    return (
        f'<dt>{name}</dt><dd><span class="bar{" low" if low else ""}">'
        f'<i style="width:{width}%"></i></span> {escape(words)}</dd>'
    )


def _tasks(running: Running, node: Node | None) -> Iterator[str]:
    there = running.on(node.id) if node else {}
    yield '<ul class="tasks">'
    for service, tasks in sorted(there.items()):
        well = all(task.state == "running" for task in tasks)
        count = f" \N{MULTIPLICATION SIGN}{len(tasks)}" if len(tasks) > 1 else ""
        states = "" if well else f" ({', '.join(sorted({task.state for task in tasks}))})"
        mark = "good" if well else "warn"
        yield f'<li class="{mark}">{escape(service + count + states)}</li>'
    yield "</ul>"


def _services(lab: Lab) -> Iterator[str]:
    if lab.running is None or not lab.running.services:
        return
    yield '<table class="services"><thead><tr><th>service<th>runs<th>on<th>image</thead><tbody>'
    names = {
        node.id: name
        for name, seen in lab.sight.phones.items()
        if (node := node_of(name, seen, lab.sight.nodes or ()))
    }
    for service in lab.running.services:
        places = [
            names.get(task.node, "another node")
            for task in lab.running.tasks
            if task.service == service.name and task.node
        ]
        where = ", ".join(name for name in (*lab.phones, "another node") if name in places)
        yield (
            f'<tr class="{_service_mark(service)}"><td>{escape(service.name)}'
            f"<td>{service.running} of {service.wanted}<td>{escape(where)}"
            f"<td>{escape(service.image)}"
        )
    yield "</tbody></table>"


def _service_mark(service: Service) -> str:
    if service.running >= service.wanted:
        return "good"
    return "warn" if service.running else "bad"


def _notes(notes: Iterable[str]) -> Iterator[str]:
    lines = [f"<li>{escape(note)}</li>" for note in notes]
    if lines:
        yield from ('<ul class="notes">', *lines, "</ul>")
