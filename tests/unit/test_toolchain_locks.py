"""Locks that a run leaves behind, and what they mean for the next."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from toolchain.locks import Lock, Standing, judge, read


def _lock(pid: int = 7, host: str = "here") -> Lock:
    return Lock(path=Path("x.json"), pid=pid, user="me", host=host, since="now")


def test_a_lock_of_a_dead_process_of_this_host_was_left_behind() -> None:
    found = judge(_lock(), this_host="here", runs_pulumi=lambda _pid: False)
    assert found is Standing.LEFT_BEHIND


def test_a_lock_of_a_living_pulumi_is_held() -> None:
    assert judge(_lock(), this_host="here", runs_pulumi=lambda pid: pid == 7) is Standing.HELD


def test_a_lock_of_another_host_is_never_taken_for_dead() -> None:
    found = judge(_lock(host="there"), this_host="here", runs_pulumi=lambda _pid: False)
    assert found is Standing.ELSEWHERE


def test_a_process_id_that_another_program_has_now_holds_nothing() -> None:
    assert judge(_lock(pid=os.getpid()), this_host="here") is Standing.LEFT_BEHIND


def test_a_process_that_ended_and_was_not_waited_for_holds_nothing() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert judge(_lock(pid=process.pid), this_host="here") is Standing.LEFT_BEHIND
    process.wait()


def test_locks_are_read_where_the_file_backend_writes_them(tmp_path: Path) -> None:
    directory = tmp_path / ".pulumi" / "locks" / "organization" / "cloudlet" / "dev"
    directory.mkdir(parents=True)
    content = {"pid": 12, "username": "me", "hostname": "here", "timestamp": "2026-01-01"}
    (directory / "a.json").write_text(json.dumps(content))
    (lock,) = read(tmp_path, "cloudlet", "dev")
    assert (lock.pid, lock.user, lock.host) == (12, "me", "here")
    assert read(tmp_path, "cloudlet", "other") == []


def test_a_lock_that_was_written_only_in_part_was_left_behind(tmp_path: Path) -> None:
    directory = tmp_path / ".pulumi" / "locks" / "organization" / "cloudlet" / "dev"
    directory.mkdir(parents=True)
    for name, text in (("a", ""), ("b", '{"pid": 1')):
        (directory / f"{name}.json").write_text(text)
    found = read(tmp_path, "cloudlet", "dev")
    assert [judge(lock) for lock in found] == [Standing.LEFT_BEHIND] * 2
