"""Runs a program against Pulumi's mocks and keeps what it registered."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest import mock

import pulumi
from pulumi.runtime import mocks

# How Pulumi marks a secret on its wire.
_SECRET = ("4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270")
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA"
FACTS = {"architecture": "aarch64", "docker_version": "26.1.5"}
# What each of our providers would have answered.
ANSWERS: dict[str, dict[str, Any]] = {
    "Contact": {"host_key": HOST_KEY, "found": {"daemon_json": ""}},
    "Facts": {"facts": FACTS},
    "Registry": {"storage": "2026-11-30"},
    "BuiltImage": {"reference": "10.0.0.1:5080/hello/web:1@sha256:1", "tag": "1"},
    "SwarmInit": {"worker_token": "SWMTKN-worker", "manager_token": "SWMTKN-manager"},
}


@dataclass(frozen=True, kw_only=True)
class Made:
    """A registered resource: its type, name and inputs, and which of them are secret."""

    type: str
    name: str
    inputs: dict[str, Any]
    secret: frozenset[str]


class Recorder(mocks.Mocks):
    def __init__(self) -> None:
        self.made: list[Made] = []

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.made.append(
            Made(
                type=args.typ,
                name=args.name,
                inputs=_opened(args.inputs),
                secret=frozenset(key for key, value in args.inputs.items() if _is_secret(value)),
            )
        )
        noun = args.typ.rpartition(":")[2]
        outputs = {**args.inputs, **ANSWERS.get(noun, {})}
        if noun == "Image":
            outputs["reference"] = f"{args.inputs['image']}@sha256:{'0' * 64}"
        return f"{args.name}-id", outputs

    def call(
        self, args: pulumi.runtime.MockCallArgs
    ) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        return {"id": f"{args.args['name']}-id"}, None

    def one(self, name: str) -> Made:
        (found,) = [item for item in self.made if item.name == name]
        return found

    def of(self, noun: str) -> list[Made]:
        """All of a kind, in order of their names: the order of registration varies."""
        found = [item for item in self.made if item.type.rpartition(":")[2] == noun]
        return sorted(found, key=lambda item: item.name)

    def text(self) -> str:
        """Everything that was registered, as one text to search."""
        return json.dumps([vars(item) for item in self.made], default=str)


def _is_secret(value: Any) -> bool:
    return isinstance(value, dict) and value.get(_SECRET[0]) == _SECRET[1]


def _opened(value: Any) -> Any:
    if _is_secret(value):
        return _opened(value["value"])
    if isinstance(value, dict):
        return {key: _opened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_opened(item) for item in value]
    return value


class _Hooks:
    """Stands where the engine calls hooks from; Pulumi's mocks have no such place."""

    def register_resource_hook(self, hook: pulumi.ResourceHook) -> None:
        pass


async def _hooks() -> _Hooks:
    return _Hooks()


def run(program: Callable[[], Any]) -> tuple[Recorder, Any]:
    """The recorder after ``program``, and what ``program`` returned."""
    recorder = Recorder()
    mocks.set_mocks(recorder, project="cloudlet", stack="test", preview=False)
    returned: list[Any] = []
    with mock.patch("pulumi.runtime.resource._get_callbacks", _hooks):
        pulumi.runtime.test(lambda: returned.append(program()))()
    return recorder, returned[0]
