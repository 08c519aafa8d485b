"""What a person sees who types a command: sentences, never a traceback."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from operations import asking, pulumi_cli
from operations import command_line as cli
from operations.errors import OperationError
from operations.pulumi_cli import PulumiStack


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["drill-reboot", ""], "say which phone, as in PHONE=phone-2"),
        (["recover", ""], "say which phone, as in PHONE=phone-2"),
        (["restore", ""], "say which file, as in FILE=backups/"),
        (["shell", ""], "say which phone, as in PHONE=phone-2"),
        (["logs", ""], "say which service, as in SERVICE=go_coffee_web"),
        (["--stack", "", "status"], "--stack names no lab"),
    ],
)
def test_what_make_was_not_told_is_asked_for(
    arguments: Sequence[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 1
    assert message in capsys.readouterr().err


class Pulumi:
    """Every call of pulumi ends like this."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stdout, self.stderr, self.status = "{}", "", 0
        self.calls: list[list[str]] = []
        monkeypatch.setattr(pulumi_cli.subprocess, "run", self.run)

    def run(self, command: list[str], **_options: Any) -> subprocess.CompletedProcess[str]:
        self.calls.append(command[command.index("--") + 1 :])
        return subprocess.CompletedProcess(command, self.status, self.stdout, self.stderr)


@pytest.fixture
def pulumi(monkeypatch: pytest.MonkeyPatch) -> Pulumi:
    return Pulumi(monkeypatch)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("toolchain: there is no stack lab\n", "there is no stack lab"),
        ("warning: x\nerror: incorrect passphrase\n\n", "incorrect passphrase"),
        ("panic\n", "panic"),
        ("", "pulumi config failed"),
    ],
)
def test_what_pulumi_says_last_is_the_message(pulumi: Pulumi, said: str, sentence: str) -> None:
    pulumi.status, pulumi.stderr = 1, said
    with pytest.raises(OperationError) as caught:
        PulumiStack(name="lab").configuration()
    assert str(caught.value) == sentence


def test_a_mistake_in_the_file_is_told_by_its_key(
    pulumi: Pulumi, capsys: pytest.CaptureFixture[str]
) -> None:
    pulumi.stdout = '{"cloudlet:phonez": {"value": "{}", "secret": false}}'
    assert cli.main(["--stack", "lab", "status"]) == 1
    assert "phonez: unknown key; did you mean phones?" in capsys.readouterr().err


def test_the_labs_file_is_named_where_it_is_not_the_usual_one(
    pulumi: Pulumi, tmp_path: Path
) -> None:
    PulumiStack(name="lab").set("key", "value")
    PulumiStack(name="lab", config_file=tmp_path / "Pulumi.lab.yaml").set("key", "value")
    common = ["--stack", "lab", "--non-interactive"]
    set_ = ["config", "set", "--plaintext", "--path", "key", "value"]
    named = ["--config-file", str(tmp_path / "Pulumi.lab.yaml")]
    assert pulumi.calls == [[*set_, *common], [*set_, *named, *common]]


def test_a_passphrase_comes_from_the_environment_or_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(asking.PASSPHRASE, "from outside")
    assert asking.passphrase("of the backup") == "from outside"
    monkeypatch.delenv(asking.PASSPHRASE)
    monkeypatch.setattr(asking.sys.stdin, "isatty", lambda: True, raising=False)
    typed = iter(["one", "one", "one", "two", "two", "two", ""])
    monkeypatch.setattr(asking.getpass, "getpass", lambda _: next(typed))
    assert asking.passphrase("for the backup", twice=True) == "one"
    assert asking.passphrase("for the backup", twice=True) == "two", "asked again"
    with pytest.raises(OperationError, match="nothing was typed for a passphrase of the backup"):
        asking.passphrase("of the backup")


def test_only_yes_is_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking.sys.stdin, "isatty", lambda: True, raising=False)
    answers = iter(["yes", "y"])
    monkeypatch.setattr("builtins.input", lambda _: next(answers))
    asking.confirm("Go on?", yes=False)
    with pytest.raises(OperationError, match="nothing was done"):
        asking.confirm("Go on?", yes=False)


@pytest.mark.parametrize("key", [EOFError, KeyboardInterrupt])
@pytest.mark.parametrize(
    "ask",
    [
        lambda: asking.confirm("Go on?", yes=False),
        lambda: asking.answer("How many phones?", "4"),
        lambda: asking.passphrase("of the backup"),
    ],
)
def test_ctrl_d_and_ctrl_c_at_a_question_stop_the_command_with_a_line_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    ask: Callable[[], object],
    key: type[BaseException],
) -> None:
    def pressed(_prompt: str) -> str:
        raise key

    monkeypatch.delenv(asking.PASSPHRASE, raising=False)
    monkeypatch.setattr(asking.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", pressed)
    monkeypatch.setattr(asking.getpass, "getpass", pressed)

    def asks(_stack: PulumiStack, _arguments: argparse.Namespace) -> None:
        ask()

    monkeypatch.setattr(cli, "_lock", asks)
    assert cli.main(["lock"]) == 130
    assert capsys.readouterr().err == "\nstopped; the same command can be run again\n"


def test_a_lab_without_its_file_is_told_so(pulumi: Pulumi, tmp_path: Path) -> None:
    with pytest.raises(OperationError) as caught:
        PulumiStack(name="lab", config_file=tmp_path / "Pulumi.lab.yaml").configuration()
    assert str(caught.value).startswith("there is no Pulumi.lab.yaml: make one with")
    assert not pulumi.calls


def test_how_much_a_stack_has_is_none_where_there_is_no_such_stack(pulumi: Pulumi) -> None:
    pulumi.stdout = '[{"name": "lab", "resourceCount": 70}, {"name": "new", "resourceCount": 0}]'
    sizes = [PulumiStack(name=name).size() for name in ("lab", "new", "other")]
    assert sizes == [70, 0, None]


@pytest.mark.parametrize("module", ["operations", "load_test"])
def test_ctrl_c_while_a_command_is_loaded_is_no_traceback(module: str, tmp_path: Path) -> None:
    (tmp_path / "paramiko.py").write_text("raise KeyboardInterrupt")
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"],
        cwd=pulumi_cli.ROOT,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 130
    assert done.stderr.startswith("stopped")
    assert done.stderr.count("\n") == 1
