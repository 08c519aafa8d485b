"""The resource of a phone's ``daemon.json``, on a phone that is off when it is to change."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import Any

import pytest
from fake_registry import HOST

from components import docker_config
from components.docker_config import DockerConfigProvider
from components.remote.ssh import Host, UnreachableError

KEYS = {"log-driver": "local", "registry-mirrors": ["http://10.0.0.1:5082"]}
PROPS: dict[str, Any] = {"phone": HOST.to_inputs(), "keys": KEYS, "found": ""}


@pytest.fixture(autouse=True)
def off(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(_host: Host) -> Any:
        raise UnreachableError("phone-1 does not answer at 192.0.2.1:22: it is off.")

    monkeypatch.setattr(docker_config, "connect", connect)


@pytest.mark.parametrize(
    "keys",
    [
        {**KEYS, "registry-mirrors": ["http://10.0.0.2:5082"]},
        {**KEYS, "insecure-registries": ["10.0.0.2:5080"]},
        {"log-driver": "local"},
    ],
)
def test_a_registry_moves_though_a_phone_is_off_and_the_next_plan_has_that_phone(
    keys: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(docker_config, "tell_once", print)
    news = PROPS | {"keys": keys}
    outs = DockerConfigProvider().update("", PROPS, news).outs or {}
    assert capsys.readouterr().out == (
        "phone-1 does not answer at 192.0.2.1:22: it is off. Its Docker is not told where images "
        "come from now, and can have none from the lab's registry until it is: run `make refresh "
        "up` when the phone is back, or take it out of cloudlet:phones\n"
    )
    assert outs["late"]
    assert DockerConfigProvider().diff("", outs, news).changes
    assert not DockerConfigProvider().diff("", outs, PROPS).changes


class Docker:
    """Remembers what it was asked to take away."""

    def __init__(self, _session: object = None) -> None:
        self.gone: list[str] = []

    def delete(self, path: str, **_: object) -> None:
        self.gone.append(path)

    def close(self) -> None:
        pass


@pytest.mark.parametrize("late", [True, False])
def test_a_phone_that_comes_back_gives_up_the_registry_that_has_moved_from_it(
    late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker = Docker()
    monkeypatch.setattr(docker_config, "connect", lambda _: nullcontext())
    monkeypatch.setattr(docker_config, "Engine", lambda _: docker)
    monkeypatch.setattr(docker_config, "_read", lambda _: "{}")
    monkeypatch.setattr(docker_config, "_write", lambda *_: None)
    news = PROPS | {"keys": {**KEYS, "registry-mirrors": ["http://10.0.0.2:5082"]}}
    outs = DockerConfigProvider().update("", PROPS | ({"late": True} if late else {}), news).outs
    assert outs == news
    found = ["/containers/cloudlet-registry", "/volumes/cloudlet-registry"]
    assert docker.gone == (found if late else [])


@pytest.mark.parametrize("earlier", [True, False])
def test_a_phone_that_comes_anew_keeps_no_registry_of_its_life_before(
    earlier: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker, written = Docker(), [""]
    before = {"debug": True, "registry-mirrors": ["http://mirror.example"]}
    theirs = ["http://10.0.0.9:5082", "http://mirror.example"]
    there = {**before, "registry-mirrors": theirs} if earlier else before
    monkeypatch.setattr(docker_config, "connect", lambda _: nullcontext())
    monkeypatch.setattr(docker_config, "Engine", lambda _: docker)
    monkeypatch.setattr(docker_config, "_read", lambda _: json.dumps(there))
    monkeypatch.setattr(docker_config, "_write", lambda *args: written.append(args[2]))
    DockerConfigProvider().create(PROPS | {"found": json.dumps(before)})
    mirrors = ["http://mirror.example", "http://10.0.0.1:5082"]
    assert written[-1] == {"debug": True, "log-driver": "local", "registry-mirrors": mirrors}
    assert bool(docker.gone) == earlier


@pytest.mark.parametrize(
    "changes",
    [
        {"keys": {**KEYS, "log-driver": "journald"}},
        {
            "keys": {**KEYS, "registry-mirrors": []},
            "phone": {**HOST.to_inputs(), "host": "192.0.2.2"},
        },
    ],
)
def test_whatever_else_is_to_change_needs_the_phone(changes: dict[str, Any]) -> None:
    with pytest.raises(UnreachableError):
        DockerConfigProvider().update("", PROPS, PROPS | changes)
