"""Shell and logs: ssh with the lab's key to the phone whose key is pinned, and nobody else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.remote.ssh import Host, PhoneError
from operations import command_line as cli
from operations import logs, ssh_command
from operations.errors import OperationError
from operations.labs import Lab
from tests.unit.operations_samples import lab

PHONE = Host(
    name="phone-2",
    host="192.168.8.12",
    port=2222,
    user="cloudlet",
    key_file="/keys/lab",
    host_key="ssh-ed25519 AAAA",
)


def test_a_shell_is_on_the_phone_with_the_labs_key_and_the_pinned_host_key() -> None:
    line = ssh_command.ssh_command(PHONE, terminal=True)
    assert line[0] == "ssh"
    assert line[-6:] == ["2222", "-l", "cloudlet", "-t", "--", "192.168.8.12"]
    assert {"IdentityFile=/keys/lab", "StrictHostKeyChecking=yes"} <= set(line)
    assert any(word.startswith("KnownHostsCommand=") and "AAAA" in word for word in line)


def test_a_command_arrives_on_the_phone_word_by_word() -> None:
    line = ssh_command.ssh_command(PHONE, ["sh", "-c", "echo 'a  b'; id"], terminal=False)
    assert line[-4:-1] == ["-T", "--", "192.168.8.12"]
    assert line[-1] == """sh -c 'echo '"'"'a  b'"'"'; id'"""


def test_what_stands_after_two_dashes_is_the_command() -> None:
    arguments = cli.parser().parse_args(["shell", "phone-2", "--", "sh", "-c", "id"])
    assert (arguments.phone, arguments.command) == ("phone-2", ["sh", "-c", "id"])


def test_a_phone_that_was_never_contacted_is_not_trusted_blindly() -> None:
    with pytest.raises(OperationError, match="phone-2 was never contacted, so its host key is not"):
        ssh_command.ssh_command(PHONE.with_host_key(""), terminal=True)


class Managers:
    """What each manager tells of the services; ``line`` is the command that is watched."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **answers: list[str] | PhoneError) -> None:
        self._answers = {name.replace("_", "-"): answer for name, answer in answers.items()}
        self.line: list[str] = []
        monkeypatch.setattr(logs, "engine", self.engine)
        monkeypatch.setattr(ssh_command.subprocess, "run", self.run)
        monkeypatch.setattr(ssh_command.shutil, "which", lambda name: f"/usr/bin/{name}")

    def run(self, line: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        self.line = line
        return subprocess.CompletedProcess(line, 3)

    @contextmanager
    def engine(self, host: Host, _seconds: float) -> Generator[Any]:
        answer = self._answers[host.name]
        if isinstance(answer, PhoneError):
            raise answer

        class Client:
            def get(self, _path: str) -> list[Any]:
                return [{"Spec": {"Name": name}} for name in answer]

        yield Client()


def test_a_log_that_is_left_by_ctrl_c_ends_without_a_word_of_failure(tmp_path: Path) -> None:
    """As in a terminal, where Ctrl-C reaches ssh and us; make then says nothing either."""
    ssh = tmp_path / "ssh"
    ssh.write_text("#!/bin/sh\necho a line\nexec sleep 30\n")
    ssh.chmod(0o755)
    code = (
        # A job in the background may have been started with Ctrl-C off.
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from operations import ssh_command; from components.remote.ssh import Host; "
        "from toolchain.ending import exit_code; "
        f"host = Host(**{vars(PHONE)}); "
        "sys.exit(exit_code(lambda: ssh_command.watch(host, ['docker'])))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "a line\n"
        os.killpg(process.pid, signal.SIGINT)
        assert (process.wait(10), process.stdout.read()) == (0, "")


def two_managers(folder: Path) -> Lab:
    made = lab(folder, {"phone-1": "manager", "phone-2": "manager"})
    hosts = {name: host.with_host_key(f"ssh-ed25519 {name}") for name, host in made.hosts.items()}
    return replace(made, hosts=hosts)


def test_a_log_is_followed_through_the_manager_that_answers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    off = PhoneError("phone-1 does not answer")
    managers = Managers(monkeypatch, phone_1=off, phone_2=["go_coffee_web"])
    assert logs.follow(two_managers(tmp_path), "go_coffee_web") == 3, "docker's own status"
    assert managers.line[-2:] == [
        "192.168.8.12",
        "docker service logs --follow --tail 100 go_coffee_web",
    ]


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"phone_1": ["b_c", "a_b"]}, "the swarm has no service 'web'; it has a_b, b_c"),
        ({"phone_1": []}, "the swarm has no service 'web'; it has none"),
        (
            {
                "phone_1": PhoneError("phone-1 does not answer"),
                "phone_2": PhoneError("nor phone-2"),
            },
            "No manager tells which services there are: phone-1 does not answer; nor phone-2",
        ),
    ],
)
def test_a_log_that_cannot_be_had_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answers: dict[str, Any], message: str
) -> None:
    managers = Managers(monkeypatch, **{"phone_2": PhoneError("phone-2 is off"), **answers})
    with pytest.raises(OperationError) as caught:
        logs.follow(two_managers(tmp_path), "web")
    assert str(caught.value) == message
    assert managers.line == []
