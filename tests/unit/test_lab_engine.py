"""Which Docker engine the lab uses, and when it installs, starts and stops one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from lab.engine import Engine
from lab.errors import LabError
from lab.system import Completed
from tests.unit.lab_machine import Answer, Machine

DEBIAN = {"/etc/os-release": 'ID=debian\nVERSION_ID="13"\n'}
UBUNTU = {"/etc/os-release": "ID=ubuntu\nID_LIKE=debian\n"}
FEDORA = {"/etc/os-release": "ID=fedora\n"}
NO_ENGINE = Completed(code=1, error="Cannot connect to the Docker daemon")
RUNS = Completed(code=0, out="26.1.5\n")


def engine(machine: Machine, folder: Path, said: list[str] | None = None) -> Engine:
    return Engine(
        log=(said if said is not None else []).append, system=machine, folder=folder / "engine"
    )


def answers_after(*words: str) -> Answer:
    """`docker info` succeeds once a command with these words was run."""
    started: list[bool] = []

    def answer(command: Sequence[str]) -> Completed | None:
        if words and set(words) <= {Path(word).name for word in command}:
            started.append(True)
        if "info" in command:
            return RUNS if started or not words else NO_ENGINE
        return None

    return answer


def test_an_engine_that_runs_is_used_and_nothing_is_touched(tmp_path: Path) -> None:
    machine = Machine(programs={"docker", "dockerd"}, answer=answers_after())
    found = engine(machine, tmp_path).ensure()
    assert found.command == ("docker",)
    assert all("info" in command for command in machine.commands)
    assert not engine(machine, tmp_path).is_own()


def test_an_installed_engine_is_started_as_a_service(tmp_path: Path) -> None:
    machine = Machine(
        programs={"docker", "dockerd"},
        answer=answers_after("systemctl", "start"),
        files={"/run/systemd/system": ""},
    )
    mine = engine(machine, tmp_path)
    mine.ensure()
    assert not machine.ran("install")
    assert mine.is_own()
    mine.stop_own()
    assert machine.ran("systemctl", "stop", "docker.service", "docker.socket")
    assert not mine.is_own()


def test_without_an_init_system_the_engine_is_a_process_and_that_process_is_stopped(
    tmp_path: Path,
) -> None:
    machine = Machine(programs={"docker", "dockerd"}, answer=answers_after("dockerd"))
    said: list[str] = []
    mine = engine(machine, tmp_path, said)
    mine.ensure()
    pid_file = tmp_path / "engine" / "dockerd.pid"
    assert ["dockerd", f"--pidfile={pid_file}"] in machine.commands
    assert any("dockerd.log" in line for line in said)
    machine.files |= {str(pid_file): "4711\n", "/proc/4711/comm": "dockerd\n"}
    mine.stop_own()
    assert ["kill", "4711"] in machine.commands
    assert not mine.is_own()


def test_an_engine_that_does_not_stop_is_named_and_not_forgotten(tmp_path: Path) -> None:
    machine = Machine(programs={"docker", "dockerd"}, answer=answers_after("dockerd"))
    mine = engine(machine, tmp_path)
    mine.ensure()
    machine.files |= {
        str(tmp_path / "engine" / "dockerd.pid"): "4711\n",
        "/proc/4711/comm": "dockerd\n",
        "/proc/4711/cmdline": "dockerd",
    }
    with pytest.raises(LabError, match=r"dockerd \(process 4711\) does not stop"):
        mine.stop_own()
    assert mine.is_own()


def test_a_process_number_that_is_another_programs_by_now_is_not_killed(tmp_path: Path) -> None:
    machine = Machine(programs={"docker", "dockerd"}, answer=answers_after("dockerd"))
    mine = engine(machine, tmp_path)
    mine.ensure()
    machine.files |= {
        str(tmp_path / "engine" / "dockerd.pid"): "4711\n",
        "/proc/4711/comm": "postgres\n",
    }
    mine.stop_own()
    assert not machine.ran("kill")


@pytest.mark.parametrize("release", [DEBIAN, UBUNTU])
def test_on_debian_and_ubuntu_docker_is_installed_and_said_so(
    tmp_path: Path, release: dict[str, str]
) -> None:
    said: list[str] = []

    def answer(command: Sequence[str]) -> Completed | None:
        if "docker.io" in command:
            machine.programs |= {"docker", "dockerd"}
        return answers(command)

    answers = answers_after("dockerd")
    machine = Machine(programs={"apt-get"}, answer=answer, files=dict(release))
    engine(machine, tmp_path, said).ensure()
    assert machine.ran("apt-get", "install", "docker.io")
    assert "installing the package docker.io" in " ".join(said)


def test_where_the_package_has_no_docker_command_that_is_installed_too(tmp_path: Path) -> None:
    def answer(command: Sequence[str]) -> Completed | None:
        if "docker.io" in command:
            machine.programs |= {"dockerd"}
        if "docker-cli" in command:
            machine.programs |= {"docker"}
        return answers(command)

    answers = answers_after("dockerd")
    machine = Machine(programs={"apt-get"}, answer=answer, files=dict(DEBIAN))
    assert engine(machine, tmp_path).ensure().command == ("docker",)


def test_an_engine_that_its_package_started_is_stopped_again(tmp_path: Path) -> None:
    def answer(command: Sequence[str]) -> Completed | None:
        if "docker.io" in command:
            machine.programs |= {"docker", "dockerd"}
        return answers(command)

    answers = answers_after("docker.io")
    machine = Machine(
        programs={"apt-get"}, answer=answer, files={**DEBIAN, "/run/systemd/system": ""}
    )
    mine = engine(machine, tmp_path)
    mine.ensure()
    assert mine.is_own()


@pytest.mark.parametrize(
    ("files", "root", "programs", "message"),
    [
        (FEDORA, True, {"apt-get"}, "only on Debian and Ubuntu"),
        (DEBIAN, False, {"apt-get"}, "takes root or sudo"),
        (DEBIAN, False, {"docker", "dockerd"}, "starting it takes root or sudo"),
    ],
)
def test_where_no_engine_can_be_had_one_line_says_why_and_nothing_is_run(
    tmp_path: Path, files: dict[str, str], root: bool, programs: set[str], message: str
) -> None:
    machine = Machine(
        programs=programs, answer=answers_after("never"), root=root, files=dict(files)
    )
    with pytest.raises(LabError, match=message) as caught:
        engine(machine, tmp_path).ensure()
    assert "\n" not in str(caught.value)
    assert all("info" in command for command in machine.commands)


def test_a_user_without_rights_to_a_running_engine_goes_through_sudo(tmp_path: Path) -> None:
    refused = Completed(code=1, error="permission denied while trying to connect")
    machine = Machine(programs={"docker", "sudo"}, answer=lambda _: refused, root=False)
    assert engine(machine, tmp_path).ensure().command == ("sudo", "docker")


def test_without_sudo_either_the_user_is_told_of_the_group(tmp_path: Path) -> None:
    refused = Completed(code=1, error="permission denied while trying to connect")
    machine = Machine(programs={"docker"}, answer=lambda _: refused, root=False)
    with pytest.raises(LabError, match="add the user to the group docker"):
        engine(machine, tmp_path).ensure()


def test_a_docker_host_of_the_users_own_is_never_replaced(tmp_path: Path) -> None:
    machine = Machine(
        programs={"docker", "apt-get"},
        answer=answers_after("never"),
        files=dict(DEBIAN),
        environment={"DOCKER_HOST": "tcp://elsewhere:2375"},
    )
    with pytest.raises(LabError, match="DOCKER_HOST=tcp://elsewhere:2375"):
        engine(machine, tmp_path).ensure()
    assert not machine.ran("apt-get")


def test_an_engine_that_does_not_come_up_is_an_error_with_its_last_word(tmp_path: Path) -> None:
    machine = Machine(programs={"docker", "dockerd"}, answer=answers_after("never"))
    machine.files[str(tmp_path / "engine" / "dockerd.log")] = "starting\nno space left on device\n"
    with pytest.raises(LabError, match="within 60 s: no space left on device"):
        engine(machine, tmp_path).ensure()
