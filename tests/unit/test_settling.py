"""A change of membership is over when the tasks that it moves run."""

from __future__ import annotations

from typing import Any

import pytest

from components.members import managers, settling
from components.remote.engine_api import Engine
from components.remote.ssh import PhoneError


def service(name: str, replicas: int, **update: str) -> dict[str, Any]:
    return {
        "ID": f"id-{name}",
        "Spec": {
            "Name": name,
            "TaskTemplate": {},
            "Mode": {"Replicated": {"Replicas": replicas}},
        },
        "UpdateStatus": update,
    }


def task(name: str, state: str, *, desired: str = "running", error: str = "") -> dict[str, Any]:
    return {
        "ID": f"{name}-{state}",
        "ServiceID": f"id-{name}",
        "DesiredState": desired,
        "Spec": {},
        "Status": {"State": state, "Err": error},
    }


class Manager(Engine):
    """Answers with one list of tasks after the other, the last one for ever."""

    def __init__(self, services: list[dict[str, Any]], *looks: list[dict[str, Any]]) -> None:
        self.services = services
        self.looks = list(looks)
        self.asked = 0

    def get(self, path: str, **_query: Any) -> Any:
        if path == "/services":
            return self.services
        self.asked += 1
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(10_000))
    monkeypatch.setattr(managers.time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(managers.time, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr(settling, "_given_up", set[str]())


def test_a_task_that_swarm_will_start_after_a_delay_is_waited_for() -> None:
    delayed = [task("web", "running"), task("web", "ready", desired="ready")]
    manager = Manager([service("web", 2)], delayed, delayed, [task("web", "running")] * 2)
    settling.await_tasks(manager)
    assert manager.asked == 2 + settling.LOOKS


@pytest.mark.parametrize(
    ("found", "own"),
    [
        (service("web", 1), [task("web", "pending", error="no suitable node")]),
        (service("web", 1, State="updating"), []),
        (service("web", 1, State="rollback_completed"), []),
        ({**service("web", 1), "Spec": {"Name": "web", "Mode": {"ReplicatedJob": {}}}}, []),
    ],
)
def test_what_cannot_get_its_tasks_now_is_not_waited_for(
    found: dict[str, Any], own: list[dict[str, Any]]
) -> None:
    assert settling.lacking([found], own) == set()


def test_a_service_that_does_not_come_to_run_is_named_and_waited_for_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    manager = Manager([service("web", 1), service("db", 1)], [task("db", "running")])
    settling.await_tasks(manager)
    assert "web: not all tasks run 60 s after phones came or went" in capsys.readouterr().out
    asked = manager.asked
    settling.await_tasks(manager)
    assert manager.asked == asked + settling.LOOKS
    assert capsys.readouterr().out == ""


def test_without_services_no_task_is_asked_for() -> None:
    manager = Manager([], [])
    settling.await_tasks(manager)
    assert manager.asked == 0


def test_a_manager_that_ceases_to_answer_fails_no_membership(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    manager = Manager([service("web", 1)], [])

    def silent(_path: str, **_query: Any) -> Any:
        raise PhoneError("phone-1 is silent")

    monkeypatch.setattr(manager, "get", silent)
    settling.await_tasks(manager)
