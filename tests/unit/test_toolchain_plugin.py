"""What our stand-ins for Pulumi's plugins have in common."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from google.protobuf import struct_pb2

from toolchain.plugin import answers
from toolchain.plugin.engine_log import EngineLog
from toolchain.plugin.properties import UNKNOWN, Secret, decode, encode, has_secret, has_unknown

SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
OUTPUT = {"4dabf18193072939515e22adb298388d": "d0e6a833031e9bbcd3f4e8bde6ca49a4"}
PLUGIN = """
import sys, threading
from toolchain.plugin import lifetime
lifetime._LOOK_SECONDS = 0.05
lifetime.end_with_engine(lambda: print("last", flush=True))
print("up", flush=True)
threading.Event().wait()
"""


def test_properties_survive_the_wire() -> None:
    values = {
        "secret": Secret({"a": [1.5, True, "x"]}),
        "unknown": UNKNOWN,
        "later": Secret(UNKNOWN),
        "list": [{"a": "b"}, UNKNOWN],
    }
    assert decode(encode(values)) == values


def test_a_null_is_as_good_as_left_out_even_a_secret_one() -> None:
    assert decode(encode({"a": None, "b": {"c": None}, "d": Secret(None)})) == {"b": {}}


def test_nulls_are_kept_where_they_are_asked_for() -> None:
    values = {"a": None, "b": {"c": None}, "d": Secret(None)}
    assert decode(encode(values), nulls=True) == values


def test_whole_numbers_are_whole() -> None:
    (port,) = decode(encode({"port": 22})).values()
    assert (port, type(port)) == (22, int)


def test_an_output_s_markers_are_understood() -> None:
    struct = struct_pb2.Struct()
    struct.update(
        {
            "known": {**OUTPUT, "value": "v"},
            "unknown": OUTPUT,
            "secret": {**OUTPUT, "value": "v", "secret": True},
            "old secret": {**SECRET, "value": "v"},
        }
    )
    assert decode(struct) == {
        "known": "v",
        "unknown": UNKNOWN,
        "secret": Secret("v"),
        "old secret": Secret("v"),
    }


def test_what_is_unknown_or_secret_is_found_at_any_depth() -> None:
    value = {"a": [{"b": Secret([UNKNOWN])}]}
    assert has_unknown(value)
    assert has_secret(value)
    assert not has_unknown({"a": [Secret("x")]})
    assert not has_secret({"a": [UNKNOWN, "x"]})


def test_a_resource_s_type_is_its_own_and_not_its_parent_s() -> None:
    assert answers.resource_type("urn:pulumi:s::p::a:b:Parent$c:d:Child::name") == "c:d:Child"
    assert answers.resource_type("urn:pulumi:s::p::c:d:Child::name") == "c:d:Child"


@pytest.mark.parametrize("watched", [True, False])
def test_a_stand_in_says_once_that_it_is_one_where_somebody_watches(
    monkeypatch: pytest.MonkeyPatch, watched: bool
) -> None:
    """Without a terminal it would be a line of the log, in every run."""
    if not watched:
        monkeypatch.setenv("CLOUDLET_UNWATCHED", "true")
    said: list[str] = []
    log = EngineLog(None)
    monkeypatch.setattr(log, "status", said.append)
    log.introduce("pulumi-resource-x")
    log.introduce("pulumi-resource-x")
    assert [line.partition(":")[0] for line in said] == ["pulumi-resource-x"] * watched


@contextmanager
def _plugin(*parent: str) -> Iterator[subprocess.Popen[str]]:
    """A plugin that only waits, started by `parent` if that is given."""
    root = str(Path(__file__).parents[2])
    process = subprocess.Popen(
        [*parent, sys.executable, "-c", PLUGIN], cwd=root, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process, process.stdout:
        assert process.stdout.readline() == "up\n"
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_plugin_that_is_asked_to_end_does_what_remains_and_ends_quietly(
    number: signal.Signals,
) -> None:
    with _plugin() as process:
        process.send_signal(number)
        assert process.communicate(timeout=10)[0] == "last\n"
        assert process.returncode == 0


def test_a_plugin_whose_engine_was_killed_ends_by_itself() -> None:
    # The shell stands for the engine; `; :` keeps it from becoming the plugin.
    with _plugin("sh", "-c", '"$@"; :', "engine") as engine:
        assert engine.stdout is not None
        engine.kill()
        started = time.monotonic()
        assert engine.stdout.read() == "last\n"
        assert time.monotonic() - started < 10
