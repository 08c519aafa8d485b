"""The command stand-in against a phone: what it runs, tells, bears and never shows."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from ssh_server import PASSWORD, Answer, Phone, phone

from toolchain.command_plugin.connection import Connection
from toolchain.command_plugin.dialling import DialError, FinalDialError, Patience, dial, persist
from toolchain.command_plugin.running import CommandError, Job, Listener, Printed, run

QUIET = Listener(stdout=None, stderr=None, warning=lambda _line: None)


def _connection(port: int, **given: Any) -> Connection:
    inputs = {"host": "127.0.0.1", "port": port, "password": PASSWORD, "dialErrorLimit": 0}
    return Connection.of({"connection": {**inputs, **given}})


def _patience(seconds: float = 10) -> Patience:
    return Patience(deadline=time.monotonic() + seconds, cancelled=threading.Event())


def _ignore(_line: str) -> None:
    return


@contextmanager
def _logged_in(served: Phone) -> Iterator[Any]:
    transport = dial(_connection(served.port), _patience(), _ignore)
    try:
        yield transport
    finally:
        transport.close()


def _run(
    served: Phone, listener: Listener = QUIET, deadline: float | None = None, **job: Any
) -> Printed:
    with _logged_in(served) as transport:
        return run(transport, Job(**job), listener, deadline=deadline)


def test_what_a_command_prints_is_kept_without_its_last_line_break() -> None:
    with phone(lambda _: Answer(stdout=b"a\nb\n\n", stderr=b"c\n")) as served:
        assert _run(served, command="x") == Printed(stdout="a\nb\n", stderr="c")
        assert served.commands == ["x"]


def test_a_command_reads_its_standard_input_to_the_end() -> None:
    with phone(lambda _: Answer(echo=True)) as served:
        text = "x" * 300_000
        assert _run(served, command="cat", stdin=text).stdout == text
        assert _run(served, command="cat").stdout == ""


def test_output_that_is_no_utf8_breaks_nothing() -> None:
    with phone(lambda _: Answer(stdout=b"\xe4x")) as served:
        assert _run(served, command="x").stdout == "�x"


def test_a_failed_command_is_an_error_with_its_status_and_output() -> None:
    with (
        phone(lambda _: Answer(stdout=b"out\n", stderr=b"err\n", status=3)) as served,
        pytest.raises(CommandError) as raised,
    ):
        _run(served, command="exit 3")
    assert str(raised.value).startswith('Process exited with status 3: running "exit 3":\n')
    assert "out" in str(raised.value)
    assert "err" in str(raised.value)


def test_the_error_of_a_secret_command_tells_neither_it_nor_its_output() -> None:
    with (
        phone(lambda _: Answer(stdout=b"hunter22\n", status=1)) as served,
        pytest.raises(CommandError) as raised,
    ):
        _run(served, command="echo hunter22", hidden=True)
    assert "hunter22" not in str(raised.value)
    assert "status 1" in str(raised.value)


def test_a_command_that_a_signal_ended_is_an_error() -> None:
    with (
        phone(lambda _: Answer(status=None)) as served,
        pytest.raises(CommandError, match=r"ended by a signal|exit status"),
    ):
        _run(served, command="kill")


def test_a_command_that_takes_longer_than_it_may_is_given_up() -> None:
    hold = threading.Event()
    with phone(lambda _: Answer(hold=hold)) as served:
        with pytest.raises(CommandError, match="deadline exceeded"):
            _run(served, command="sleep", deadline=time.monotonic() + 0.1)
        hold.set()


def test_lines_are_told_as_they_come_and_only_of_the_streams_asked_for() -> None:
    told: list[str] = []
    listener = Listener(stdout=told.append, stderr=None, warning=told.append)
    with phone(lambda _: Answer(stdout=b"a\r\nb", stderr=b"c\n")) as served:
        _run(served, listener, command="x")
    assert told == ["a", "b"]


def test_variables_reach_the_command_where_the_phone_accepts_them() -> None:
    with phone(accepted=("LC_A",)) as served:
        _run(served, command="x", environment={"LC_A": "1"})
        assert served.environment == {"LC_A": "1"}


def test_a_variable_that_the_phone_refuses_is_an_error_and_nothing_is_run() -> None:
    with (
        phone() as served,
        pytest.raises(CommandError, match='environment variable "A": ssh: setenv failed'),
    ):
        _run(served, command="x", environment={"A": "1"})
    assert served.commands == []


def test_earlier_output_that_the_phone_refuses_is_a_warning_and_the_command_is_run() -> None:
    warnings: list[str] = []
    listener = Listener(stdout=None, stderr=None, warning=warnings.append)
    with phone() as served:
        _run(served, listener, command="x", previous={"PULUMI_COMMAND_STDOUT": "before"})
        assert served.commands == ["x"]
    assert len(warnings) == 1


def test_commands_run_side_by_side() -> None:
    all_here = threading.Barrier(4)

    def answer(_command: str) -> Answer:
        all_here.wait(10)
        return Answer(stdout=b"met")

    printed: list[str] = []
    with phone(answer) as served:
        threads = [
            threading.Thread(target=lambda: printed.append(_run(served, command="x").stdout))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert printed == ["met"] * 4


def test_the_configured_host_key_is_demanded() -> None:
    with phone() as served, phone() as other:
        dial(_connection(served.port, hostKey=served.host_key), _patience(), _ignore).close()
        with pytest.raises(FinalDialError, match="host key mismatch") as raised:
            dial(_connection(served.port, hostKey=other.host_key), _patience(), _ignore)
        assert served.logins == 1
    assert "\n" not in str(raised.value)


def test_a_phone_that_still_refuses_logins_is_tried_again() -> None:
    told: list[str] = []
    with phone(refuse_logins=2) as served:
        dial(_connection(served.port, dialErrorLimit=3), _patience(), told.append).close()
    assert told == ["Dial 1/3 failed: retrying", "Dial 2/3 failed: retrying"]


def test_a_wrong_password_is_an_error_that_does_not_tell_it() -> None:
    with phone() as served, pytest.raises(DialError) as raised:
        dial(_connection(served.port, password="hunter22"), _patience(), _ignore)
    assert "unable to authenticate" in str(raised.value)
    assert "hunter22" not in str(raised.value)


def test_a_phone_that_accepts_and_stays_silent_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        hurried = replace(_connection(port), per_dial_seconds=0.1)
        with pytest.raises(DialError, match=r"does not answer as SSH within 0\.1 s"):
            dial(hurried, _patience(), _ignore)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"privateKey": "garbage"}, "private key cannot be read"),
        ({"hostKey": "garbage"}, "failed to parse host key"),
        ({"hostKey": "ssh-ed25519 garbage"}, "failed to parse host key"),
    ],
)
def test_a_broken_key_is_named_at_once(given: Mapping[str, str], reason: str) -> None:
    with pytest.raises(FinalDialError, match=reason) as raised:
        dial(_connection(1, dialErrorLimit=-1, **given), _patience(), _ignore)
    assert "garbage" not in str(raised.value)


def _failing(times: int) -> Callable[[], str]:
    left = [times]

    def attempt() -> str:
        left[0] -= 1
        if left[0] >= 0:
            raise DialError("connection refused")
        return "connected"

    return attempt


def test_an_attempt_may_fail_as_often_as_the_limit_says() -> None:
    connection = _connection(1, dialErrorLimit=1)
    told: list[str] = []
    assert persist("Dial", connection, _patience(), told.append, _failing(1)) == "connected"
    assert told == ["Dial 1/1 failed: retrying"]
    with pytest.raises(DialError, match=r"^after 1 failed attempts: connection refused$"):
        persist("Dial", connection, _patience(), told.append, _failing(2))


def test_without_a_limit_only_the_deadline_ends_the_attempts() -> None:
    connection = _connection(1, dialErrorLimit=-1)
    with pytest.raises(DialError, match="deadline exceeded"):
        persist("Dial", connection, _patience(0.15), _ignore, _failing(1000))


def test_the_engines_cancellation_ends_the_attempts() -> None:
    patience = _patience()
    patience.cancelled.set()
    with pytest.raises(DialError, match="canceled"):
        persist("Dial", _connection(1, dialErrorLimit=-1), patience, _ignore, _failing(1000))
