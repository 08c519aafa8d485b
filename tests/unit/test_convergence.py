"""When a service counts as running, and what a person is told when it does not."""

from __future__ import annotations

from typing import Any

from components.services.convergence import explain, judge, log_lines

TEMPLATE = {"ContainerSpec": {"Image": "web:2"}, "ForceUpdate": 0}


def service(*, replicas: int = 2, update: str = "") -> dict[str, Any]:
    return {
        "Spec": {"TaskTemplate": TEMPLATE, "Mode": {"Replicated": {"Replicas": replicas}}},
        "UpdateStatus": {"State": update, "Message": "because"} if update else None,
    }


def task(
    key: str,
    state: str,
    *,
    image: str = "web:2",
    desired: str = "running",
    error: str = "",
    made: str = "2026-11-30T00:00:01Z",
) -> dict[str, Any]:
    return {
        "ID": key,
        "CreatedAt": made,
        "DesiredState": desired,
        "Spec": {"ContainerSpec": {"Image": image}, "ForceUpdate": 0},
        "Status": {"State": state, "Err": error},
    }


def test_a_service_with_all_tasks_running_is_converged() -> None:
    assert judge(service(), [task("a", "running"), task("b", "running")]).converged


def test_a_task_whose_health_check_has_not_passed_does_not_count() -> None:
    assert not judge(service(), [task("a", "running"), task("b", "starting")]).converged


def test_tasks_of_the_version_before_do_not_count() -> None:
    tasks = [task("a", "running"), task("b", "running", image="web:1")]
    assert judge(service(), tasks).running == 1


def test_a_running_update_is_waited_for() -> None:
    tasks = [task("a", "running"), task("b", "running")]
    assert not judge(service(update="updating"), tasks).converged
    assert judge(service(update="completed"), tasks).converged


def test_an_update_that_waits_for_a_phone_which_died_is_over_for_the_others() -> None:
    found: dict[str, Any] = {
        "Spec": {"TaskTemplate": TEMPLATE, "Mode": {"Global": {}}},
        "ServiceStatus": {"DesiredTasks": 2},
        "UpdateStatus": {"State": "updating"},
    }
    dead = {**task("c", "running", image="web:1", desired="shutdown"), "NodeID": "dead"}
    tasks = [task("a", "running"), task("b", "running"), dead]
    assert judge(found, tasks, {"dead"}).converged
    assert judge(found, tasks, {"dead"}).watched_seconds == 5
    assert not judge(found, tasks).converged
    assert not judge(found, [*tasks[1:], task("a", "starting")], {"dead"}).converged
    assert not judge(found, tasks[:2], {"dead"}).converged, "nobody dead keeps it"
    # In between Swarm itself asks for no task.
    found["ServiceStatus"]["DesiredTasks"] = 0
    before = [task("d", "running", image="web:1", desired="shutdown")]
    assert not judge(found, [*before, dead], {"dead"}).converged
    assert not judge(found, [task("e", "ready", desired="ready"), dead], {"dead"}).converged
    found["ServiceStatus"]["DesiredTasks"] = 2
    found["Spec"]["UpdateConfig"] = {"Monitor": 1_000_000_000}
    assert judge(found, tasks, {"dead"}).watched_seconds == 1
    found["UpdateStatus"]["State"] = "completed"
    assert judge(found, tasks, {"dead"}).watched_seconds == 0


def test_a_rolled_back_update_is_a_failure_although_all_tasks_run() -> None:
    progress = judge(service(update="rollback_completed"), [task("a", "running")] * 2)
    assert not progress.converged
    assert "rolled back (because)" in explain("web", progress, [])


def test_a_rolled_back_update_is_told_with_the_error_of_what_was_taken_back() -> None:
    def failed(key: str, image: str, error: str, made: str) -> dict[str, Any]:
        return task(key, "failed", image=image, desired="shutdown", error=error, made=made)

    tasks = [
        task("a", "running", made="2026-11-30T00:00:03.5Z"),
        failed("b", "web:2", "of long ago", "2026-11-30T00:00:01.1Z"),
        failed("d", "web:3", "task: non-zero exit (3)", "2026-11-30T00:00:02.123Z"),
        failed("c", "web:1", "of the version before", "2026-11-30T00:00:02.12Z"),
    ]
    for state in ("rollback_started", "rollback_completed", "rollback_paused"):
        assert judge(service(update=state), tasks).failed == {"d": "task: non-zero exit (3)"}
    assert judge(service(update="completed"), tasks).failed == {"b": "of long ago"}


def test_a_service_scaled_to_nothing_is_converged_without_tasks() -> None:
    assert judge(service(replicas=0), []).converged


def test_a_global_service_runs_where_swarm_says_it_should() -> None:
    spec = {"TaskTemplate": TEMPLATE, "Mode": {"Global": {}}}
    found = {"Spec": spec, "ServiceStatus": {"DesiredTasks": 3}}
    assert judge(found, [task(key, "running") for key in "abc"]).converged
    assert not judge(found, [task("a", "running")]).converged


def test_of_an_update_it_is_told_that_the_new_version_is_counted() -> None:
    tasks = [task("a", "running", image="web:1"), task("b", "failed", desired="shutdown")]
    for state in ("updating", "paused"):
        text = explain("web", judge(service(update=state), tasks), [])
        assert text.startswith("web: 0 of 2 tasks run the new version; ")
    text = explain("web", judge(service(update="completed"), tasks), [])
    assert text.startswith("web: 0 of 2 tasks run; ")


def test_of_an_update_that_was_rolled_back_it_is_told_that_the_version_before_is_counted() -> None:
    progress = judge(service(update="rollback_completed"), [task("a", "running")] * 2)
    assert explain("web", progress, []).startswith("web: 2 of 2 tasks run the version before; ")


def test_of_a_global_service_the_phones_are_counted_that_where_it_failed_among_them() -> None:
    """There Swarm asks for no task while the update is paused."""
    found: dict[str, Any] = {
        "Spec": {"TaskTemplate": TEMPLATE, "Mode": {"Global": {}}},
        "ServiceStatus": {"DesiredTasks": 3},
        "UpdateStatus": {"State": "paused", "Message": "because"},
    }
    tasks = [{**task(key, "running", image="web:1"), "NodeID": key} for key in "abc"]
    tasks += [{**task("d1", "failed", desired="shutdown"), "NodeID": "d"}]
    tasks += [{**task("old", "failed", image="web:0", desired="shutdown"), "NodeID": "gone"}]
    text = explain("agent", judge(found, tasks), [])
    assert text.startswith("agent: 0 of 4 phones run the new version; the update was paused")
    del found["UpdateStatus"]
    found["ServiceStatus"]["DesiredTasks"] = 4
    tasks = [{**task(key, "running"), "NodeID": key} for key in "abc"]
    assert explain("agent", judge(found, tasks), []) == "agent: 3 of 4 phones run it"


def test_the_schedulers_reason_is_shown() -> None:
    reason = "no suitable node (3 nodes lack linux/arm/v7)"
    progress = judge(service(replicas=1), [task("a", "pending", error=reason)])
    assert explain("go_coffee_web", progress, []) == f"go_coffee_web: 0 of 1 tasks run; {reason}"


def test_a_task_that_never_gets_healthy_is_named_as_that() -> None:
    progress = judge(service(replicas=1), [task("a", "starting")])
    assert explain("db", progress, []) == (
        "db: 0 of 1 tasks run; 1 started, but the health check has not passed"
    )


def test_the_last_error_and_the_log_are_shown() -> None:
    failed = task("a", "failed", desired="shutdown", error="task: non-zero exit (1)")
    text = explain("web", judge(service(replicas=1), [failed]), ["no database", "bye"])
    assert text == (
        "web: 0 of 1 tasks run; its last task failed: task: non-zero exit (1)\n"
        "the last lines of its log:\n  no database\n  bye"
    )


def test_a_log_stream_is_put_together_from_its_frames() -> None:
    def frame(text: bytes) -> bytes:
        return b"\x01\0\0\0" + len(text).to_bytes(4, "big") + text

    assert log_lines(frame(b"one\ntw") + frame(b"o\n")) == ["one", "two"]


def test_what_docker_says_of_a_log_that_it_cannot_get_is_no_line_of_it() -> None:
    def frame(stream: int, text: bytes) -> bytes:
        return bytes([stream, 0, 0, 0]) + len(text).to_bytes(4, "big") + text

    trouble = b"Error grabbing logs: rpc error: code = Unknown desc = node s5r0 is not available\n"
    assert log_lines(frame(3, trouble)) == []
    assert log_lines(frame(1, b"one\n") + frame(3, trouble) + frame(2, b"two\n")) == ["one", "two"]
