"""A new lab: what is asked, what is written, and that it is checked before it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from components import config, lab_edge
from operations import asking, lab_file, new_lab
from operations.errors import OperationError
from operations.lab_file import Answers
from operations.pulumi_cli import ROOT, PulumiStack

SECRETS = {
    "password": "1234",
    "wifiPassword": "my-secure-password",
    "secrets": json.dumps(dict.fromkeys(new_lab.MADE_UP, "long-enough-password")),
}


def values(text: str) -> dict[str, str]:
    """Each key as Pulumi gives it to a program."""
    written = yaml.safe_load(text)["config"].items()
    return {
        key.removeprefix("cloudlet:"): value if isinstance(value, str) else json.dumps(value)
        for key, value in written
    }


def test_the_lab_to_copy_is_not_stale() -> None:
    """If this fails: python -m operations.lab_file."""
    assert lab_file.FILE.read_text() == lab_file.text(lab_file.EXAMPLE)


def test_the_lab_to_copy_is_whole_but_for_its_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    # A preview needs no key.
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
    given = {f"cloudlet:{key}": value for key, value in values(lab_file.FILE.read_text()).items()}

    def read(**secrets: str) -> lab_edge.LabArgs:
        added = {f"cloudlet:{key}": value for key, value in secrets.items()}
        return lab_edge.read(
            {**given, **added}, encrypted=added.keys(), project="cloudlet", root=ROOT
        )

    assert set(read(**SECRETS).stacks) == {"portainer", "go_coffee"}
    with pytest.raises(pulumi.RunError) as caught:
        read()
    assert "pulumi config set --secret cloudlet:wifiPassword" in str(caught.value)
    with pytest.raises(pulumi.RunError) as caught:
        read(wifiPassword=SECRETS["wifiPassword"])
    for name in new_lab.MADE_UP:
        assert name in str(caught.value)


@pytest.mark.parametrize("phones", [1, 2, 3, 30])
def test_a_lab_of_any_size_has_managers_and_a_phone_for_the_data(phones: int) -> None:
    lab = config.load(values(lab_file.text(Answers(phones=phones), "school")) | SECRETS, root=ROOT)
    assert len(lab.phones) == phones
    assert len(lab.managers) == (3 if phones >= 3 else 1)
    assert [phone.name for phone in lab.phones.values() if phone.labels] == [f"phone-{phones}"]
    assert not lab.warnings


@pytest.mark.parametrize("name", ["on", "null", "~", "a: b", 'say "hi"', "kohvik ☕", "1234", "#x"])
def test_a_wifi_may_have_any_name(name: str) -> None:
    text = lab_file.text(Answers(ssid=name, forget=(f"{name} 2", "other")), "school")
    lab = config.load(values(text) | SECRETS, root=ROOT)
    assert lab.wifi is not None
    assert lab.wifi.ssid == name
    assert lab.wifi.forget == (f"{name} 2", "other")


class Stack(PulumiStack):
    """Pulumi's part, which is kept instead of run."""

    def __init__(self, folder: Path, name: str = "school") -> None:
        super().__init__(name=name, config_file=folder / f"Pulumi.{name}.yaml")
        self.__dict__["kept"] = {}
        self.__dict__["resources"] = None

    def size(self) -> int | None:
        return self.__dict__["resources"]

    def make(self) -> None:
        assert self.file.exists()
        assert self.size() is None, "Pulumi refuses a second stack of this name"
        self.__dict__["resources"] = 0
        if "make" in self.__dict__.get("refused", ()):
            raise KeyboardInterrupt

    def remove(self) -> None:
        assert self.size() == 0, "Pulumi keeps a stack that has something"
        self.__dict__["resources"] = None

    def set_secret(self, path: str, value: str) -> None:
        if path in self.__dict__.get("refused", ()):
            raise OperationError("incorrect passphrase")
        self.__dict__["kept"][path] = value


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    monkeypatch.setattr(asking.sys.stdin, "isatty", lambda: False, raising=False)
    monkeypatch.setenv(new_lab.PHONE_PASSWORD, "1234")
    monkeypatch.setenv(new_lab.WIFI_PASSWORD, "my-secure-password")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "drawer")
    return Stack(tmp_path)


def make(stack: PulumiStack, given: Mapping[str, str] | None = None) -> str:
    told: list[str] = []
    new_lab.new_lab(stack, given or {}, told.append)
    return "\n".join(told)


def test_where_nobody_can_be_asked_the_defaults_and_the_environment_answer(stack: Stack) -> None:
    told = make(stack, {"phones": "30", "gateway": "none"})
    kept: dict[str, Any] = stack.__dict__["kept"]
    assert stack.file.read_text() == lab_file.text(Answers(phones=30, gateway=""), "school")
    assert kept["cloudlet:password"] == "1234"
    assert kept["cloudlet:wifiPassword"] == "my-secure-password"
    made_up = {kept[f"cloudlet:secrets.{name}"] for name in new_lab.MADE_UP}
    assert len(made_up) == len(new_lab.MADE_UP)
    assert all(len(value) == 24 and value.isalnum() for value in made_up)
    assert "make adopt STACK=school PHONE=phone-1" in told
    for value in kept.values():
        assert value not in told
        assert value not in stack.file.read_text()


def test_a_person_is_asked_for_everything_and_for_a_passphrase_twice(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (new_lab.PHONE_PASSWORD, new_lab.WIFI_PASSWORD, "PULUMI_CONFIG_PASSPHRASE"):
        monkeypatch.delenv(name)
    asked: list[str] = []

    def typed(prompt: str) -> str:
        asked.append(prompt)
        return "" if prompt.endswith("] ") else "long-enough"

    monkeypatch.setattr(asking.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", typed)
    monkeypatch.setattr(asking.getpass, "getpass", typed)
    make(stack)
    assert stack.file.read_text() == lab_file.text(Answers(), "school")
    assert asked[0] == "How many phones? [4] "
    assert asked[-2:] == ["A passphrase for the lab's secrets: ", "The same again: "]
    assert len(asked) == len(new_lab.QUESTIONS) + 4


def test_a_person_who_answers_wrongly_is_asked_just_that_again(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []
    said = iter(["two", "0", "2", "192.168.8", "192.168.8.21"])

    def typed(prompt: str) -> str:
        asked.append(prompt.partition("?")[0])
        return next(said, "")

    monkeypatch.setattr(asking.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", typed)
    told = make(stack, {"key_file": "/no/such/key"})
    assert asked[:3] == ["How many phones"] * 3
    assert asked[3] == asked[4] != asked[5]
    assert capsys.readouterr().out.splitlines() == [
        "'two' is no number of phones; write one like 4",
        "0 phones are no lab",
        "'192.168.8' is no address for the first of 2 phones; write one like 192.168.8.11",
    ]
    assert "wrote Pulumi.school.yaml: 2 phones, from 192.168.8.21 on" in told
    assert "There is no /no/such/key yet: ssh-keygen -t ed25519 -f /no/such/key" in told


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"phones": "many"}, "'many' is no number of phones"),
        ({"phones": "0"}, "0 phones are no lab"),
        ({"address": "phone"}, "'phone' is no address for the first of 4 phones"),
        ({"address": "255.255.255.254"}, "is no address for the first of 4 phones"),
        ({"user": "Root!"}, "ssh.user: "),
        ({"gateway": "192.168.9.1"}, "192.168.8.11"),
    ],
)
def test_a_wrong_answer_is_told_and_nothing_is_written(
    stack: Stack, given: Mapping[str, str], sentence: str
) -> None:
    with pytest.raises(OperationError) as caught:
        make(stack, given)
    assert sentence in str(caught.value)
    assert not stack.file.exists()


def test_a_lab_that_is_there_is_left_alone(stack: Stack, tmp_path: Path) -> None:
    stack.file.write_text("mine")
    with pytest.raises(OperationError, match="there already"):
        make(stack)
    assert stack.file.read_text() == "mine"
    with pytest.raises(OperationError, match="say which lab, as in NAME=school"):
        make(Stack(tmp_path, "My lab"))


def test_nothing_is_left_where_pulumi_refuses(stack: Stack) -> None:
    stack.__dict__["refused"] = {"cloudlet:wifiPassword"}
    with pytest.raises(OperationError, match="incorrect passphrase"):
        make(stack)
    assert not stack.file.exists()
    assert stack.size() is None


def test_after_ctrl_c_while_the_stack_is_made_the_same_command_can_be_run_again(
    stack: Stack,
) -> None:
    stack.__dict__["refused"] = {"make"}
    with pytest.raises(KeyboardInterrupt):
        make(stack)
    assert not stack.file.exists()
    del stack.__dict__["refused"]
    make(stack)
    assert stack.size() == 0


def test_an_empty_stack_that_a_killed_command_left_is_made_anew(stack: Stack) -> None:
    stack.__dict__["resources"] = 0
    make(stack)
    assert stack.file.exists()


def test_a_lab_that_runs_without_its_file_is_left_alone(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.__dict__["resources"] = 70
    monkeypatch.setattr(asking, "answer", lambda *_: pytest.fail("is told before it asks"))
    with pytest.raises(OperationError) as caught:
        make(stack)
    assert str(caught.value) == (
        "Pulumi knows 70 resources of a lab school, whose Pulumi.school.yaml is gone; bring the "
        "file back and run `make down STACK=school`, or take another NAME"
    )
    assert stack.size() == 70
    assert not stack.file.exists()
