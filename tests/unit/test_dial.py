"""The way to a manager for the docker provider's ssh, with an ``ssh`` that answers as told."""

from __future__ import annotations

import contextlib
import os
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from components import dial, docker_host
from components.remote.ssh import Host

SWARM = "ours"


class Server:
    """A phone's SSH port: says its name, then sends back what it gets."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._echo, args=(connection,), daemon=True).start()

    def _echo(self, connection: socket.socket) -> None:
        with connection:
            connection.sendall(f"{self.name}\n".encode())
            while data := connection.recv(65536):
                connection.sendall(data)

    def close(self) -> None:
        with contextlib.suppress(OSError):  # closed by the test
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def place(self) -> str:
        return f"127.0.0.1,{self.port},KEY{self.name}"


class Lab:
    """Two phones, and what ``ssh`` says of each: a line of output, or a command that fails."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.phones = [Server("one"), Server("two")]
        self.script = folder / "dial.py"
        self.script.write_text(Path(dial.__file__).read_text())
        ssh = folder / "ssh"
        ssh.write_text(
            f'#!/bin/sh\nprintf "%s\\n" "$*" >> {folder}/asked\n'
            f'while [ "$1" != -p ]; do shift; done\n. {folder}/answer-"$2"\n'
        )
        ssh.chmod(0o755)

    def hurry(self, bound: str) -> None:
        """What takes a second by the script's own ``bound`` takes a fifth of it."""
        text = self.script.read_text()
        assert f"\n{bound} = 1.0\n" in text
        self.script.write_text(text.replace(f"{bound} = 1.0", f"{bound} = 0.2"))

    def answer(self, phone: Server, script: str) -> None:
        (self.folder / f"answer-{phone.port}").write_text(script)

    def manages(self, phone: Server, swarm: str = SWARM) -> None:
        self.answer(phone, f"echo true {swarm}")

    def start(self) -> subprocess.Popen[bytes]:
        places = [phone.place() for phone in self.phones]
        return subprocess.Popen(
            [sys.executable, "-IS", str(self.script), SWARM, "user", "~/key", *places],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={
                "PATH": f"{self.folder}:{os.environ['PATH']}",
                "XDG_RUNTIME_DIR": str(self.folder),
            },
        )

    def dial(self) -> tuple[str, str]:
        """What the phone at the other end says, and what is said on standard error."""
        done = self.start().communicate(b"hello", timeout=60)
        return done[0].decode(), done[1].decode()

    def asked(self) -> list[str]:
        asked = self.folder / "asked"
        lines = asked.read_text().splitlines() if asked.exists() else []
        asked.unlink(missing_ok=True)
        return lines


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    made = Lab(tmp_path)
    for phone in made.phones:
        made.manages(phone)
    yield made
    for phone in made.phones:
        phone.close()


def test_the_first_manager_is_joined_both_ways(lab: Lab) -> None:
    assert lab.dial() == ("one\nhello", "")


@pytest.mark.parametrize(
    "answer",
    [
        "echo 'connect to host: Connection refused' >&2; exit 255",
        "echo 'Host key verification failed.' >&2; exit 255",
        "echo 'false '",
        "echo true theirs",
    ],
)
def test_a_phone_that_does_not_manage_this_swarm_is_passed_over(lab: Lab, answer: str) -> None:
    lab.answer(lab.phones[0], answer)
    assert lab.dial()[0] == "two\nhello"


def test_a_silent_phone_does_not_hold_up_the_next_one(lab: Lab) -> None:
    lab.hurry("PATIENCE_SECONDS")
    lab.answer(lab.phones[0], "exec sleep 30")
    process = lab.start()
    started = time.monotonic()
    assert process.stdout is not None
    assert process.stdout.readline() == b"two\n"
    assert time.monotonic() - started < 5
    process.kill()
    process.communicate()


def test_the_phone_must_show_the_host_key_that_is_known(lab: Lab) -> None:
    lab.dial()
    (line,) = lab.asked()
    assert "StrictHostKeyChecking=yes" in line
    assert '"%H ssh-ed25519 KEYone"' in line
    assert "KEYtwo" not in line


def test_what_was_found_a_moment_ago_is_not_asked_again(lab: Lab) -> None:
    lab.dial()
    assert len(lab.asked()) == 1
    assert lab.dial()[0] == "one\nhello"
    assert lab.asked() == []


def test_a_manager_that_died_since_is_not_kept_to(lab: Lab) -> None:
    lab.dial()
    lab.phones[0].close()
    lab.answer(lab.phones[0], "exit 255")
    assert lab.dial()[0] == "two\nhello"


def test_many_connections_at_once_ask_once(lab: Lab) -> None:
    lab.answer(lab.phones[0], f"sleep 0.3; echo true {SWARM}")
    started = [lab.start() for _ in range(5)]
    assert [process.communicate(b"", timeout=60)[0] for process in started] == [b"one\n"] * 5
    assert len(lab.asked()) == 1


def test_a_manager_that_loses_its_role_loses_its_connections(lab: Lab) -> None:
    lab.hurry("LOOK_SECONDS")
    process = lab.start()
    assert process.stdout is not None
    assert process.stdout.readline() == b"one\n"
    dial.forget(SWARM)
    lab.answer(lab.phones[0], "echo 'false '")
    assert process.wait(timeout=10) == 0
    process.communicate()
    assert lab.dial()[0] == "two\nhello"


def test_managers_that_elect_a_leader_are_waited_for(lab: Lab) -> None:
    elected = lab.folder / "elected"
    for phone in lab.phones:
        lab.answer(
            phone,
            f"if [ -e {elected} ]; then echo true {SWARM}; else touch {elected}; echo 'true '; fi",
        )
    assert "hello" in lab.dial()[0]


def test_where_none_answers_each_ones_reason_is_given(lab: Lab) -> None:
    first, second = lab.phones
    lab.answer(first, "echo 'ssh: connect to host x: No route to host' >&2; exit 255")
    lab.answer(second, "echo 'false '")
    assert lab.dial() == (
        "",
        "no manager of the swarm answers: "
        f"127.0.0.1:{first.port}: ssh: connect to host x: No route to host; "
        f"127.0.0.1:{second.port}: is not a manager\n",
    )


def test_a_lost_majority_is_told_to_all_who_wait_with_the_two_ways_out(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = lab.phones
    lab.answer(first, "echo 'true '")
    lab.answer(second, "echo 'No route to host' >&2; exit 255")
    monkeypatch.setenv("PATH", f"{lab.folder}:{os.environ['PATH']}")
    monkeypatch.setattr(dial, "ELECTION_SECONDS", 0.0)
    places = [phone.place() for phone in lab.phones]
    with pytest.raises(SystemExit) as caught:
        dial.main(SWARM, "user", "~/key", places)
    assert str(caught.value) == (
        "the swarm has lost the majority of its managers: "
        f"127.0.0.1:{first.port}: has no leader; 127.0.0.1:{second.port}: No route to host. "
        "Start the managers that are off; if they are lost for good, `make recover PHONE=…` lets "
        "one that is left go on alone"
    )
    asked = lab.asked()
    assert lab.dial() == ("", f"{caught.value}\n")
    assert (len(asked), lab.asked()) == (2, [])


def test_a_folder_that_others_can_read_is_not_trusted(lab: Lab) -> None:
    folder = lab.folder / f"cloudlet-{os.getuid()}"
    folder.mkdir()
    folder.chmod(0o755)
    lab.dial()
    lab.dial()
    assert len(lab.asked()) == 2


def test_options_know_every_managers_key_and_survive_a_per_cent_sign() -> None:
    managers = [
        Host(
            name=name,
            host=name,
            port=22,
            user="u",
            key_file="~/50%/key",
            host_key=f"ssh-ed25519 {name}",
        ).to_inputs()
        for name in ("a", "b")
    ]
    options = docker_host.ssh_options("swarm", managers)[1::2]
    (known,) = [option for option in options if option.startswith("KnownHostsCommand=")]
    assert shlex.split(known)[2:] == [r"%%s\n", "%H ssh-ed25519 a", "%H ssh-ed25519 b"]
    (proxy,) = [option for option in options if option.startswith("ProxyCommand=")]
    assert "~/50%%/key" in proxy
