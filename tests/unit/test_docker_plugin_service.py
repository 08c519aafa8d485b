"""A service's way to the Engine and back, and what is stored of it."""

from __future__ import annotations

from typing import Any

import pytest
from docker_plugin_samples import checked_service, described_service, stored_service

from toolchain.docker_plugin import convergence, images
from toolchain.docker_plugin.plan import plan, settle
from toolchain.docker_plugin.schema_service import SERVICE
from toolchain.docker_plugin.service_spec import service_spec
from toolchain.docker_plugin.service_state import service_state
from toolchain.docker_plugin.state import imported_inputs, refreshed_inputs, stored
from toolchain.plugin.properties import UNKNOWN, Secret

SECOND = 10**9


def _container() -> dict[str, Any]:
    return service_spec(plan(SERVICE, None, checked_service()))["TaskTemplate"]["ContainerSpec"]


def test_environment_variables_are_sent_sorted() -> None:
    assert _container()["Env"] == ["A=1", "B=2", "C=x=y"]


def test_a_spec_says_what_the_program_says() -> None:
    spec = service_spec(plan(SERVICE, None, checked_service()))
    container = spec["TaskTemplate"]["ContainerSpec"]
    assert container["StopGracePeriod"] == 20 * SECOND
    assert container["Healthcheck"] == {
        "Test": ["CMD", "true"],
        "Interval": 2 * SECOND,
        "Retries": 3,
    }
    assert container["Hosts"] == ["10.0.0.1 db"]
    assert container["Secrets"] == [
        {
            "SecretID": "s1",
            "SecretName": "pw",
            "File": {"Name": "pw", "UID": "0", "GID": "0", "Mode": 0o444},
        }
    ]
    assert spec["Mode"] == {"Replicated": {"Replicas": 2}}
    assert spec["UpdateConfig"]["Order"] == "start-first"
    assert spec["UpdateConfig"]["FailureAction"] == "pause"
    assert spec["TaskTemplate"]["RestartPolicy"] == {
        "Condition": "any",
        "Delay": 5 * SECOND,
        "Window": 0,
        "MaxAttempts": 0,
    }


def test_the_order_of_a_program_s_sets_makes_no_other_spec() -> None:
    inputs = checked_service()
    for key in ("mounts", "labels"):
        inputs["taskSpec"]["containerSpec"][key].reverse()
    inputs["taskSpec"]["placement"]["constraints"].reverse()
    inputs["taskSpec"]["networksAdvanceds"][0]["aliases"].reverse()
    assert service_spec(plan(SERVICE, None, inputs)) == described_service()["Spec"]


def test_a_state_read_back_makes_the_same_spec_again() -> None:
    planned = plan(SERVICE, stored_service(), checked_service())
    assert service_spec(planned) == described_service()["Spec"]


def test_scaling_changes_the_replicas_and_nothing_else() -> None:
    inputs = checked_service()
    inputs["mode"]["replicated"]["replicas"] = 7
    spec = service_spec(plan(SERVICE, stored_service(), inputs))
    assert spec.pop("Mode") == {"Replicated": {"Replicas": 7}}
    before = described_service()["Spec"]
    before.pop("Mode")
    assert spec == before


def test_a_restart_policy_that_nobody_gave_is_not_turned_into_zeros() -> None:
    inputs = checked_service()
    del inputs["taskSpec"]["restartPolicy"]
    described = described_service()
    described["Spec"]["TaskTemplate"]["RestartPolicy"] = {"Condition": "any", "MaxAttempts": 0}
    state = stored(SERVICE, service_state(described))
    assert state["taskSpec"]["restartPolicy"]["delay"] == ""
    policy = service_spec(plan(SERVICE, state, inputs))["TaskTemplate"]["RestartPolicy"]
    assert policy == {"Condition": "any", "MaxAttempts": 0}


def test_a_preview_says_what_only_swarm_will_know() -> None:
    planned = plan(SERVICE, None, {"name": "x", "taskSpec": {"containerSpec": {"image": "i"}}})
    assert planned["id"] == planned["mode"] == planned["labels"] == UNKNOWN
    assert planned["taskSpec"]["containerSpec"]["stopGracePeriod"] == UNKNOWN
    assert planned["taskSpec"]["containerSpec"]["image"] == "i"


def test_the_state_carries_the_official_plugin_s_bookkeeping() -> None:
    state = stored_service()
    assert state["__meta"] == '{"schema_version":"2"}'
    delta = state["__pulumi_raw_state_delta"]["obj"]["ps"]
    assert delta["auth"] == {"plu": {"i": {}}}
    assert delta["labels"] == {"arr": {"el": {"0": {"obj": {}}}}}
    container = delta["taskSpec"]["plu"]["i"]["obj"]["ps"]["containerSpec"]["plu"]["i"]["obj"]
    assert container["ps"]["env"] == {"map": {}}
    assert container["renamed"]["commands"] == "command"


def test_a_password_stays_marked_in_what_is_stored() -> None:
    auth = {"serverAddress": "r", "username": "u", "password": "hush"}
    state = stored(SERVICE, {**stored_service(), "auth": auth})
    assert state["auth"]["password"] == Secret("hush")


def test_a_refresh_finds_what_somebody_changed() -> None:
    described = described_service()
    described["Spec"]["Mode"]["Replicated"]["Replicas"] = 9
    read = service_state(described)
    state = stored(SERVICE, settle(SERVICE, read, stored_service(), applied=False))
    inputs = refreshed_inputs(SERVICE, checked_service(), state)
    assert inputs["mode"]["replicated"]["replicas"] == 9
    assert inputs["taskSpec"]["containerSpec"]["env"] == {"A": "1", "B": "2", "C": "x=y"}


def test_an_import_leaves_out_what_is_default() -> None:
    inputs = imported_inputs(SERVICE.attrs, stored_service())
    assert "auth" not in inputs
    assert "isolation" not in inputs["taskSpec"]["containerSpec"]
    assert inputs["taskSpec"]["containerSpec"]["image"] == "web:1"


@pytest.mark.parametrize(
    ("image", "pinned"),
    [
        ("web", "web:latest@sha256:1"),
        ("host:5000/web", "host:5000/web:latest@sha256:1"),
        ("host:5000/web:2", "host:5000/web:2@sha256:1"),
        ("web@sha256:0", "web@sha256:0"),
    ],
)
def test_an_image_is_pinned_once(image: str, pinned: str) -> None:
    assert images.with_digest(image, "sha256:1") == pinned


def _task(state: str, *, desired: str = "running", error: str = "") -> dict[str, Any]:
    status = {"State": state, "Timestamp": f"2026-{len(error):02}", "Err": error}
    return {"DesiredState": desired, "Status": status}


def test_a_service_runs_when_as_many_tasks_run_as_it_should_have() -> None:
    service = described_service()
    running, starting = _task("running"), _task("starting")
    assert not convergence.converged(service, [running, starting], None)
    assert convergence.converged(service, [running, running], None)
    leaving = _task("running", desired="shutdown")
    assert not convergence.converged(service, [running, leaving], None)


def test_an_update_under_way_is_waited_for_and_a_stopped_one_is_named() -> None:
    before = described_service() | {"UpdateStatus": {"State": "paused", "StartedAt": "1"}}
    running = [_task("running")] * 2
    assert convergence.stopped(before, before) == ""
    assert convergence.converged(before, running, before)
    now = {**before, "UpdateStatus": {"State": "updating", "StartedAt": "2"}}
    assert not convergence.converged(now, running, before)
    now["UpdateStatus"] = {"State": "rollback_completed", "StartedAt": "2", "Message": "m"}
    assert convergence.stopped(now, before) == "service s_web: update rollback completed: m"


def test_the_newest_error_of_a_task_is_the_reason() -> None:
    tasks = [_task("failed", error="old"), _task("failed", error="newer"), _task("running")]
    assert convergence.last_error(tasks) == "newer"
