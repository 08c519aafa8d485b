"""The small resources beside a stack's services, on a manager that answers from memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from components import external, image, memo, rollout, scale
from components.remote.engine_api import EngineError
from components.remote.ssh import PhoneError
from components.services import converging

DIGEST = f"sha256:{'a' * 64}"
DIGEST_A, DIGEST_B = "a" * 16, "b" * 16
ACCESS = {"managers": [], "swarm_id": "s"}


class Manager:
    """Answers by path; what is sent is kept in ``sent``."""

    phone = "phone-1"

    def __init__(self, **answers: Any) -> None:
        self.answers = {"/" + path.replace("__", "/"): answer for path, answer in answers.items()}
        self.sent: list[tuple[str, Any, dict[str, Any]]] = []
        self.log = b""

    def get(self, path: str, **_query: Any) -> Any:
        answer = self.answers.get(path)
        if answer is None:
            raise EngineError(self.phone, 404, f"no such thing: {path}")
        return answer(self) if callable(answer) else answer

    def post(self, path: str, body: Any = None, **query: Any) -> None:
        self.sent.append((path, body, query))

    def request(self, *_arguments: Any) -> bytes:
        """A service's log."""
        return b"\1\0\0\0" + len(self.log).to_bytes(4, "big") + self.log


@pytest.fixture
def talk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    memo._answers.clear()

    def use(manager: Manager) -> Manager:
        @contextmanager
        def manager_of(_props: Any) -> Iterator[Manager]:
            yield manager

        for module in (external, image, rollout, scale):
            monkeypatch.setattr(module, "manager_of", manager_of)
        return manager

    yield use
    memo._answers.clear()


# Images


def test_an_image_is_recorded_with_its_digest_and_its_builds(talk: Any) -> None:
    builds = [
        {"architecture": "arm", "os": "linux", "variant": "v7"},
        {"architecture": "arm64", "os": "linux", "variant": "v8"},
        {"architecture": "unknown", "os": "unknown"},
    ]
    answer = {"Descriptor": {"digest": DIGEST}, "Platforms": builds}
    talk(Manager(**{"distribution__web:1__json": answer}))
    outs = image.ImageProvider().create({"image": "docker.io/library/web:1", **ACCESS}).outs
    assert outs is not None
    assert outs["reference"] == f"web:1@{DIGEST}"
    assert outs["platforms"] == ["linux/arm/v7", "linux/arm64"]


def test_an_image_with_a_digest_needs_no_registry(talk: Any) -> None:
    talk(Manager())
    outs = image.ImageProvider().create({"image": f"web:1@{DIGEST}", **ACCESS}).outs
    assert outs is not None
    assert (outs["reference"], outs["platforms"]) == (f"web:1@{DIGEST}", [])


def test_an_image_that_nobody_has_is_named(talk: Any) -> None:
    def unknown(_manager: Manager) -> Any:
        raise EngineError("phone-1", 404, "manifest unknown: manifest unknown")

    talk(Manager(**{"distribution__web:1__json": unknown}))
    props = {"image": "web:1", "key": "stacks.shop: services.page.image", **ACCESS}
    with pytest.raises(PhoneError) as caught:
        image.ImageProvider().create(props)
    assert str(caught.value) == (
        "stacks.shop: services.page.image: web:1 is in no registry that phone-1 reaches (manifest "
        "unknown), and not on phone-1 itself. Correct the name or the tag; if both are right, "
        "see what it lacks by `make shell PHONE=phone-1 CMD='docker pull web:1'`"
    )


# What somebody else made


def seen(kind: str, name: str, **state: Any) -> dict[str, Any]:
    outs = external.ExternalProvider().read(name, given(kind, name) | state).outs
    assert outs is not None
    return outs


def given(kind: str, name: str) -> dict[str, Any]:
    return {"kind": kind, "object": name, "key": f"stacks.shop: {kind}.x", **ACCESS}


def test_an_external_secret_is_the_one_of_just_that_name(talk: Any) -> None:
    secrets = [
        {"ID": "1", "Spec": {"Name": "token-old"}},
        {"ID": "2", "Spec": {"Name": "token"}},
    ]
    talk(Manager(secrets=secrets))
    outs = external.ExternalProvider().create(given("secrets", "token")).outs
    assert outs is not None
    assert outs["docker_id"] == "2"


@pytest.mark.parametrize("kind", ["networks", "secrets", "configs"])
def test_what_the_swarm_lacks_is_named_by_its_key_with_the_command_that_makes_it(
    talk: Any, kind: str
) -> None:
    talk(Manager(**{kind: [{"Id": "1", "Name": "token", "Scope": "local"}]}))
    with pytest.raises(PhoneError) as caught:
        external.ExternalProvider().create(given(kind, "token" if kind == "networks" else "gone"))
    assert str(caught.value).startswith(f"stacks.shop: {kind}.x is external, and the swarm has no")
    assert f"docker {kind.removesuffix('s')} create" in str(caught.value)


def test_a_refresh_sees_that_an_external_thing_was_made_anew_or_is_gone(talk: Any) -> None:
    manager = talk(Manager(configs=[{"ID": "new", "Spec": {"Name": "page"}}]))
    assert seen("configs", "page", docker_id="old")["docker_id"] == "new"
    manager.answers["/configs"] = []
    assert seen("configs", "page", docker_id="new") == {}


# How many replicas the provider is told


def test_scaling_alone_is_no_change_for_the_provider() -> None:
    olds = {"service": "s", "replicas": 1.0, "spec_digest": "a"}
    diff = scale.ScaleProvider().diff
    assert not diff("s", olds, olds | {"replicas": 3}).changes
    assert diff("s", olds, olds | {"spec_digest": "b"}).changes


def test_a_refresh_takes_the_replicas_as_the_swarm_has_them(talk: Any) -> None:
    mode = {"Replicated": {"Replicas": 3}}
    services = [
        {"Spec": {"Name": "s", "Mode": mode}},
        {"Spec": {"Name": "g", "Mode": {"Global": {}}}},
    ]
    talk(Manager(services=services))
    props = {"service": "s", "replicas": 1, "spec_digest": "a", **ACCESS}
    for name, replicas in (("s", 3), ("g", 1)):
        outs = scale.ScaleProvider().read(name, props).outs
        assert outs is not None
        assert outs["replicas"] == replicas


def test_a_plan_tells_from_how_many_replicas_to_how_many(
    talk: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pulumi's own line of a plan names what changes and no number."""
    talk(Manager())
    olds = {"service": "shop_web", "replicas": 2.0, "spec_digest": DIGEST_A}
    diff = rollout.RolloutProvider().diff
    assert diff("shop_web", olds, olds | {"replicas": 5}).changes
    assert diff("shop_web", olds, olds | {"replicas": 5}).changes
    assert capsys.readouterr().out == "shop_web: 2 → 5 replicas\n"
    diff("shop_web", olds, olds | {"spec_digest": DIGEST_B})
    diff("shop_web", olds | {"replicas": -1.0}, olds)
    assert capsys.readouterr().out == ""


def test_a_plan_tells_what_of_a_service_changes(
    talk: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    talk(Manager())
    one = {"image": "web:1", "environment": "1", "labels": "1", "update": "1"}
    other = {"image": "web:2", "environment": "2", "labels": "1", "stop grace period": "1"}
    props = {"service": "shop_web", "replicas": 2.0}
    olds = {**props, "spec_digest": DIGEST_A, "parts": one}
    diff = rollout.RolloutProvider().diff
    assert diff("shop_web", olds, {**props, "spec_digest": DIGEST_B, "parts": other}).changes
    assert capsys.readouterr().out == (
        "shop_web: image web:1 → web:2, environment, stop grace period, update\n"
    )
    diff("shop_web", olds, {**olds, "spec_digest": DIGEST_B})
    assert capsys.readouterr().out == "shop_web: its image is another build\n"


def test_a_plan_tells_what_a_refresh_has_found_of_a_service(
    talk: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    talk(Manager())
    olds = {"service": "shop_web", "replicas": 2.0, "spec_digest": "shop_web: 1 of 2 tasks run"}
    assert rollout.RolloutProvider().diff("s", olds, {**olds, "spec_digest": DIGEST_A}).changes
    assert capsys.readouterr().out == (
        "shop_web: 1 of 2 tasks run; `up` waits until it runs as asked\n"
    )


# Updates that fail


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
    with pytest.raises(PhoneError, match=r"rolled back .* `make refresh up` tries again"):
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
