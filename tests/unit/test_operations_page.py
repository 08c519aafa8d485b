"""The page of a lab: what hangs on the wall is true, also where something is off."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from components.phones.survey import Survey
from components.remote.ssh import PhoneError, UnreachableError
from operations import page, page_file, running
from operations.errors import OperationError
from operations.nodes import Node
from operations.running import Running, Service, Task
from operations.status import Sight
from tests.unit.operations_samples import lab as lab_of
from tests.unit.operations_samples import manager, node, phone, seen

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
SERVICE = Service(name="shop_web", stack="shop", image="shop/web:1", running=2, wanted=2)
RUNNING = Running(
    services=[SERVICE],
    tasks=[
        Task(service="shop_web", node="id-phone-1", state="running"),
        Task(service="shop_web", node="id-phone-2", state="running"),
    ],
)


def lab(
    phones: Mapping[str, Survey | PhoneError] | None = None,
    nodes: list[Node] | None = None,
    **changes: Any,
) -> page.Lab:
    sights = {"phone-1": seen("phone-1"), "phone-2": seen("phone-2"), **(phones or {})}
    nodes = [manager("phone-1", leader=True), node("phone-2")] if nodes is None else nodes
    made = page.Lab(
        name="school",
        phones={name: phone(name) for name in sights},
        sight=Sight(phones=sights, nodes=nodes, no_nodes=""),
        running=RUNNING,
        pages={"The shop": "http://192.168.8.11:8888"},
        notes=(),
        at=datetime(2026, 11, 28, 12, 0, tzinfo=UTC),
    )
    return replace(made, **changes)


def card(text: str, name: str) -> str:
    """A phone's part of the page, without its tags."""
    found = re.search(rf'<section class="phone (\w+)" id="{name}">(.*?)</section>', text, re.DOTALL)
    assert found
    return f"{found[1]}: " + " ".join(re.sub(r"<[^>]*>", " ", found[2]).split())


def test_a_phone_is_shown_with_its_role_health_battery_and_services() -> None:
    text = page.html(lab())
    assert card(text, "phone-1") == (
        "good: phone-1 manager leader ready 192.168.8.11 armv7l battery 80 %, 32 °C "
        "memory 1000 of 1900 MB free disk 19.5 GB wifi cloudlet, 71 % shop_web"
    )
    assert "2 of 2 phones are well" in text
    assert "1 of 1 managers hear each other" in text
    assert '<a href="http://192.168.8.11:8888">The shop</a>' in text
    assert "<td>shop_web<td>2 of 2<td>phone-1, phone-2<td>shop/web:1" in text


@pytest.mark.parametrize(
    ("sight", "entry", "shown"),
    [
        (UnreachableError("phone-2 does not answer"), node("phone-2"), "bad: phone-2 worker no an"),
        (seen("phone-2"), node("phone-2", state="down"), "bad: phone-2 worker down"),
        (seen("phone-2"), node("phone-2", availability="drain"), "warn: phone-2 worker drain"),
        (seen("phone-2", battery_celsius=51.0), node("phone-2"), "warn: phone-2 worker hot"),
        (seen("phone-2", battery_percent=9), node("phone-2"), "warn: phone-2 worker battery low"),
        (
            seen("phone-2", docker=replace(seen("phone-2").docker, state="stopped")),
            node("phone-2"),
            "bad: phone-2 worker Docker is stopped",
        ),
        (seen("phone-2"), node("phone-3"), "bad: phone-2 worker no member"),
    ],
)
def test_what_is_wrong_with_a_phone_is_said_in_its_card(
    sight: Survey | PhoneError, entry: Node, shown: str
) -> None:
    text = page.html(lab({"phone-2": sight}, [manager("phone-1"), entry]))
    assert card(text, "phone-2").startswith(shown)
    assert "1 of 2 phones are well" in text


def test_a_phone_that_tells_little_has_a_card_all_the_same() -> None:
    bare = seen("phone-2", facts={}, battery_percent=None, battery_celsius=None, wifi=None)
    text = page.html(lab({"phone-2": replace(bare, free_memory_mb=None)}, running=None))
    assert card(text, "phone-2") == "good: phone-2 worker ready 192.168.8.12"
    assert "<table" not in text


def test_where_no_manager_answers_the_page_says_so() -> None:
    made = lab(running=None, notes=["No manager tells who is in the swarm"])
    text = page.html(replace(made, sight=replace(made.sight, nodes=None)))
    assert "no manager answers" in text
    assert "<li>No manager tells who is in the swarm</li>" in text


def test_a_service_that_is_not_whole_stands_out() -> None:
    tasks = [
        Task(service="shop_web", node="id-phone-1", state="running"),
        Task(service="shop_web", node="id-phone-1", state="starting"),
        Task(service="shop_web", node="", state="pending"),
    ]
    text = page.html(
        lab(running=Running(services=[replace(SERVICE, running=1, wanted=3)], tasks=tasks))
    )
    assert '<tr class="warn"><td>shop_web<td>1 of 3<td>phone-1<td>' in text
    assert "shop_web \N{MULTIPLICATION SIGN}2 (running, starting)" in text


class Tags(HTMLParser):
    """Every tag of a page; a script would be one."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.names.add(tag)


def test_names_from_elsewhere_are_text_and_never_part_of_the_page() -> None:
    evil = "<script>alert(1)</script>"
    wifi = replace(seen("phone-2").wifi, ssid=evil)  # type: ignore[type-var]
    made = lab(
        {"phone-2": seen("phone-2", wifi=wifi, facts={"model": evil})},
        name=evil,
        notes=[evil],
        running=Running(services=[replace(SERVICE, name=evil, image=evil)], tasks=[]),
        pages={evil: f"http://{evil}"},
    )
    tags = Tags()
    tags.feed(page.html(made))
    assert "script" not in tags.names
    assert "main" in tags.names


def test_dockers_answers_become_services_and_tasks() -> None:
    service = {
        "ID": "s1",
        "Spec": {
            "Name": "shop_web",
            "Labels": {"com.docker.stack.namespace": "shop"},
            "TaskTemplate": {"ContainerSpec": {"Image": "shop/web:1@sha256:00"}},
        },
        "ServiceStatus": {"RunningTasks": 2, "DesiredTasks": 2},
    }
    tasks = [
        {"ServiceID": "s1", "NodeID": f"id-phone-{number}", "Status": {"State": "running"}}
        for number in (1, 2)
    ]
    # A network's attachment is a task without a service.
    stray = {"NodeID": "id-phone-1", "Status": {"State": "running"}}
    assert running.parse([service], [*tasks, stray]) == RUNNING


def test_the_file_is_written_in_one_step_and_a_wrong_place_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_file.running, "running", lambda hosts: RUNNING)
    sight = lab().sight
    made = lab_of(tmp_path, {"phone-1": "manager", "phone-2": "worker"})
    page_file.write(tmp_path / "lab.html", made, sight)
    assert "2 of 2 phones are well" in (tmp_path / "lab.html").read_text()
    assert [file.name for file in tmp_path.iterdir()] == ["lab.html"]
    with pytest.raises(OperationError, match="cannot be written: No such file or directory"):
        page_file.write(tmp_path / "nowhere" / "lab.html", made, sight)


MEASURE = """<script>document.body.dataset.seen = JSON.stringify({
  wide: document.documentElement.scrollWidth > innerWidth,
  cut: [...document.querySelectorAll(".phone")].filter(e => e.scrollWidth > e.clientWidth).length,
  phones: [...document.querySelectorAll(".phone")].filter(e => e.offsetHeight > 100).length,
})</script>"""


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.parametrize("width", [420, 1920])
def test_a_browser_shows_thirty_phones_whole(width: int, tmp_path: Path) -> None:
    assert CHROMIUM
    many = {f"phone-{number}": seen(f"phone-{number}") for number in range(1, 31)}
    file = tmp_path / "lab.html"
    nodes = [node(name) for name in many]
    file.write_text(page.html(lab(many, nodes)).replace("</body>", MEASURE + "</body>"))
    shown = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu"),
            *(f"--window-size={width},1080", "--dump-dom", file.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    found = re.search(r'data-seen="(.*?)"', shown)
    assert found
    assert json.loads(unescape(found[1])) == {"wide": False, "cut": 0, "phones": 30}
