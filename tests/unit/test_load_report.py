from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from load_test import page, record
from load_test.accounting import NONE, book, judge
from load_test.plot import smooth
from load_test.record import Request, percentile, seconds, summary
from load_test.run import Load, Run, command
from load_test.watch import Event, Sample, Sight, changes, sight

BEGAN = 1_000_000.0


def request(at: float, kind: str = "menu", milliseconds: float = 20.0, **more: object) -> Request:
    values = {"size": 100, "users": 5, "error": "", "order": "", **more}
    return Request(start=BEGAN + at, kind=kind, milliseconds=milliseconds, **values)  # pyright: ignore[reportArgumentType]


def run(*requests: Request) -> Run:
    return Run(
        load=Load(users=5, climb=1, hold=3, tags=()),
        began=BEGAN,
        requests=requests,
        samples=[
            Sample(
                phone="phone-1",
                at=BEGAN + at,
                cores=0.5,
                memory_mb=300 + at,
                celsius=None,
                battery_celsius=31.5,
            )
            for at in (1, 2)
        ],
        events=[Event(at=BEGAN + 2, text="phone-4: down, active")],
        account=judge({"a"}, book([]), before=NONE, after=NONE),
    )


def test_a_record_is_read_back_without_the_line_that_was_cut_off(tmp_path: Path) -> None:
    file = tmp_path / "requests.csv"
    file.write_text(
        "start,kind,milliseconds,bytes,users,error,order\n"
        "1000000.500,order,12.5,2,7,,some-id\n"
        "1000001.000,menu,9.0,0,7,status 503,\n"
        "1000002.0,me"
    )
    first, second = record.read(file)
    assert first == Request(
        start=1000000.5, kind="order", milliseconds=12.5, size=2, users=7, error="", order="some-id"
    )
    assert second.error == "status 503"
    assert record.acknowledged([first, second]) == {"some-id"}


def test_a_request_counts_in_the_second_in_which_it_ended() -> None:
    line = seconds([request(0.1), request(0.2, milliseconds=2500), request(0.9, error="no")], BEGAN)
    assert [(second.requests, second.failures) for second in line] == [(2, 1), (0, 0), (1, 0)]


def test_percentiles_are_values_that_occurred() -> None:
    assert percentile([1, 2, 3, 4], 0.5) == 2
    assert percentile([1, 2, 3, 4], 0.95) == 4
    assert percentile([], 0.5) == 0


def test_a_summary_has_the_rate_of_all_requests_and_the_bytes_of_each() -> None:
    one = summary([request(0, size=100), request(1.98, size=300, error="no")])
    assert (one.requests, one.failures, one.bytes_each) == (2, 1, 200)
    assert one.rate == pytest.approx(1.0)


def test_seconds_without_an_answer_do_not_pull_a_line_down() -> None:
    assert smooth([10, 0, 20]) == [10, 10, 15]


def test_the_page_needs_no_other_file_and_shows_the_seeds_figures(tmp_path: Path) -> None:
    shown = page.write(
        run(request(0.1), request(1, "list", size=90000), request(2, error="<no> answer")), tmp_path
    ).read_text()
    assert not re.search(r'(src|href)="(?!data:)', shown)
    for text in ("up to 170 s", "90,000", "phone-4: down, active", "&lt;no&gt; answer", "31.5 °C"):
        assert text in shown
    assert "0.50" in shown
    assert (tmp_path / "report.png").read_bytes().startswith(b"\x89PNG")
    HTMLParser().feed(shown)


def test_a_lost_order_stands_on_the_page_and_the_terminal(tmp_path: Path) -> None:
    done = run(request(0.1))
    assert "1 orders acknowledged, 1 lost" in page.write(done, tmp_path).read_text()
    assert any("1 orders acknowledged, 1 lost" in line for line in page.lines(done))


def test_a_load_without_an_end_of_its_own_is_told_as_such() -> None:
    told = str(Load(users=50, climb=5, hold=0, tags=()))
    assert told == "up to 50 users within 5 s, then until it was stopped"
    assert str(Load(users=9, climb=2, hold=3, tags=())) == "up to 9 users within 2 s, then 3 s more"


def test_locust_is_told_everything_on_its_command_line(tmp_path: Path) -> None:
    line = command("http://x:5000", Load(users=9, climb=2, hold=3, tags=("menu",)), tmp_path)
    assert line[line.index("--users") + 1] == "9"
    assert line[line.index("--tags") + 1 :] == ["menu"]
    assert "--headless" in line


def seen(**places: tuple[str, ...]) -> Sight:
    return Sight(
        nodes={"phone-1": "ready, active"}, places=places, images=dict.fromkeys(places, "i")
    )


def test_a_service_that_moved_is_an_event_and_one_that_stayed_is_none() -> None:
    before = seen(go_coffee_web=("phone-1", "phone-2"), go_coffee_proxy=("phone-1",))
    after = seen(go_coffee_web=("phone-1", "phone-3"), go_coffee_proxy=("phone-1",))
    assert changes(before, after) == ["web on phone-3"]


def test_a_lost_phone_and_an_update_are_events() -> None:
    before = seen(go_coffee_web=("phone-1",))
    after = Sight(
        nodes={"phone-1": "down, active"},
        places=before.places,
        images={"go_coffee_web": "another"},
    )
    assert changes(before, after) == ["phone-1: down, active", "web updated"]


def test_docker_answers_become_phones_and_services() -> None:
    nodes = [
        {
            "ID": "n1",
            "Spec": {"Labels": {"cloudlet.phone": "phone-7"}, "Availability": "active"},
            "Status": {"State": "ready"},
        }
    ]
    services = [
        {
            "ID": "s1",
            "Spec": {
                "Name": "go_coffee_web",
                "TaskTemplate": {"ContainerSpec": {"Image": "web:1"}},
            },
        }
    ]
    tasks = [
        {"ServiceID": "s1", "NodeID": "n1", "Status": {"State": "running"}},
        {"ServiceID": "s1", "NodeID": "n1", "Status": {"State": "starting"}},
        {"ServiceID": "gone", "NodeID": "n1", "Status": {"State": "running"}},
    ]
    assert sight(nodes, services, tasks) == Sight(
        nodes={"phone-7": "ready, active"},
        places={"go_coffee_web": ("phone-7",)},
        images={"go_coffee_web": "web:1"},
    )
