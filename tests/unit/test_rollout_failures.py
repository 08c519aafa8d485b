"""An update of a service that fails: told with its reason, and taken back to what ran before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fake_manager import ACCESS, Manager, talking

from components import rollout
from components.remote.ssh import PhoneError
from components.services import converging


@pytest.fixture
def talk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    yield from talking(monkeypatch)


def service(state: str, **more: Any) -> dict[str, Any]:
    return {
        "Spec": {
            "Name": "s",
            "TaskTemplate": {"ContainerSpec": {"Image": "web:2"}},
            "Mode": {"Replicated": {"Replicas": 1}},
        },
        "Version": {"Index": 7},
        "UpdateStatus": {"State": state, "Message": "task 1 failed"} if state else None,
        **more,
    }


def failing(manager: Manager) -> Manager:
    """Its update is paused until it is taken back."""

    def now(manager: Manager) -> dict[str, Any]:
        undone = any("rollback" in query for _, _, query in manager.sent)
        state = "rollback_completed" if undone else "paused"
        return service(state, PreviousSpec={"TaskTemplate": {}})

    manager.answers |= {"/services/s": now, "/services": lambda it: [now(it)], "/tasks": []}
    return manager


def update(digest: str, *, takes_back: bool, **seen: Any) -> Any:
    olds = {"service": "s", "replicas": 1, "spec_digest": "a", "start_seconds": 0, **ACCESS}
    news = olds | {"spec_digest": digest, "takes_back": takes_back}
    return rollout.RolloutProvider().update("s", olds | seen, news)


def rollbacks(manager: Manager) -> list[tuple[str, Any, dict[str, Any]]]:
    return [sent for sent in manager.sent if "rollback" in sent[2]]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converging.time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(converging, "REASON_SECONDS", 0.0)


def test_an_update_that_fails_is_taken_back_and_says_so(talk: Any) -> None:
    manager = talk(failing(Manager()))
    with pytest.raises(PhoneError) as caught:
        update("b", takes_back=True)
    assert "the update was paused (task 1 failed)" in str(caught.value)
    assert "what ran before runs again" in str(caught.value)
    assert [query["rollback"] for _, _, query in rollbacks(manager)] == ["previous"]


def test_an_update_that_has_failed_before_it_is_looked_at_is_still_taken_back_to_what_ran(
    talk: Any,
) -> None:
    """Swarm keeps one spec to go back to: to order the same again puts the failed one there."""
    manager = talk(failing(Manager()))
    with pytest.raises(PhoneError, match="what ran before runs again"):
        update("b", takes_back=True)
    assert manager.sent == rollbacks(manager)


def test_a_paused_update_that_a_refresh_has_seen_goes_on(talk: Any) -> None:
    manager = talk(failing(Manager()))
    with pytest.raises(PhoneError, match="the update was paused"):
        update("b", takes_back=True, undone=True)
    assert [sent for sent in manager.sent if sent not in rollbacks(manager)]


FAILURE = {
    "ID": "t",
    "DesiredState": "shutdown",
    "Status": {"State": "failed", "Err": "task: non-zero exit (3)"},
    "Spec": {"ContainerSpec": {"Image": "web:2"}},
    "CreatedAt": "2026-01-01T00:00:00Z",
}


def test_the_log_of_a_task_that_swarm_has_put_away_is_told_all_the_same(talk: Any) -> None:
    manager = talk(failing(Manager()))
    looks = iter([([FAILURE], "updating", b"no database\n"), ([], "paused", b"")])

    def look(manager: Manager) -> list[Any]:
        tasks, state, manager.log = next(looks)
        manager.answers["/tasks"] = tasks
        return [service(state)]

    manager.answers["/services"] = look
    with pytest.raises(PhoneError, match=r"non-zero exit(.|\n)*no database"):
        update("b", takes_back=False)


def test_the_reason_why_an_update_was_called_off_may_come_a_moment_later(
    talk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(converging, "REASON_SECONDS", 60.0)
    manager = talk(failing(Manager()))
    looks = iter([[], [], [FAILURE]])
    manager.answers["/tasks"] = lambda _manager: next(looks)
    with pytest.raises(PhoneError, match=r"its last task failed: task: non-zero exit \(3\)"):
        update("b", takes_back=False)


@pytest.mark.parametrize(("digest", "takes_back"), [("b", False), ("a", True)])
def test_what_the_file_wants_paused_or_nobody_changed_is_not_taken_back(
    talk: Any, digest: str, takes_back: bool
) -> None:
    manager = talk(failing(Manager()))
    with pytest.raises(PhoneError, match="the update was paused"):
        update(digest, takes_back=takes_back)
    assert rollbacks(manager) == []


def test_a_service_that_was_rolled_back_is_not_taken_for_what_was_asked(talk: Any) -> None:
    state = service("rollback_completed")
    manager = talk(Manager(services__s=state, services=[state], tasks=[]))
    with pytest.raises(PhoneError, match=r"rolled back .* `make refresh up` the same once more"):
        update("b", takes_back=True)
    assert manager.sent == []


def test_what_was_rolled_back_is_whole_again_once_a_refresh_saw_what_runs_and_it_is_asked_for(
    talk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider changes a service whose refreshed spec is not the one that is asked for."""
    monkeypatch.setattr(converging, "STEADY_SECONDS", 0.0)
    task = {
        "ID": "t",
        "DesiredState": "running",
        "Status": {"State": "running"},
        "Spec": service("")["Spec"]["TaskTemplate"],
    }

    def now(manager: Manager) -> dict[str, Any]:
        return service("completed" if manager.sent else "rollback_completed")

    manager = talk(Manager(tasks=[task]))
    manager.answers |= {"/services/s": now, "/services": lambda it: [now(it)]}
    seen = rollout.RolloutProvider().read("s", {"replicas": 1, "spec_digest": "a", **ACCESS}).outs
    assert seen is not None
    assert seen["undone"]
    assert "the update failed and was rolled back" in seen["spec_digest"]
    outs = update("b", takes_back=True, undone=True).outs
    assert outs is not None
    assert "undone" not in outs
    assert {path for path, _, _ in manager.sent} == {"/services/s/update"}
