"""The inputs that the docker stand-in keeps, and the mistakes that it names."""

from __future__ import annotations

from typing import Any

import pytest

from toolchain.docker_plugin import durations
from toolchain.docker_plugin.check import Naming, check
from toolchain.docker_plugin.provider import check_config
from toolchain.docker_plugin.schema import Resource
from toolchain.docker_plugin.schema_objects import CONFIG, NETWORK, SECRET
from toolchain.docker_plugin.schema_service import SERVICE
from toolchain.plugin.properties import UNKNOWN, Secret

NAMING = Naming(resource="res", seed=b"seed")


def _service(**container: Any) -> dict[str, Any]:
    return {"name": "web", "taskSpec": {"containerSpec": {"image": "web:1", **container}}}


def test_defaults_that_say_something_are_added_and_noted() -> None:
    checked = check(NETWORK, {"name": "n", "labels": [{"label": "a", "value": "b"}]}, {}, NAMING)
    assert checked.inputs == {
        "name": "n",
        "labels": [{"label": "a", "value": "b", "__defaults": []}],
        "ipamDriver": "default",
        "__defaults": ["ipamDriver"],
    }
    assert checked.failures == []


def test_defaults_of_zero_stay_out_of_the_inputs() -> None:
    news = _service(healthcheck={"tests": ["NONE"]})
    container = check(SERVICE, news, {}, NAMING).inputs["taskSpec"]["containerSpec"]
    assert container["healthcheck"] == {
        "tests": ["NONE"],
        "interval": "0s",
        "timeout": "0s",
        "startPeriod": "0s",
        "__defaults": ["interval", "startPeriod", "timeout"],
    }


def test_a_secret_s_data_comes_back_marked_as_secret() -> None:
    inputs = check(SECRET, {"name": "s", "data": "aGFsbG8="}, {}, NAMING).inputs
    assert inputs["data"] == Secret("aGFsbG8=")


def test_a_bad_secret_is_not_shown_in_its_failure() -> None:
    failures = check(SECRET, {"name": "s", "data": "hush-hush!"}, {}, NAMING).failures
    assert failures == [("data", "the value is not standard base64")]


def test_a_missing_name_is_made_up_once_and_then_kept() -> None:
    first = check(SECRET, {"data": "aGFsbG8="}, {}, NAMING).inputs
    again = check(SECRET, {"data": "aGFsbG8="}, first, Naming(resource="res", seed=b"x")).inputs
    assert first["name"].startswith("res-")
    assert again["name"] == first["name"]
    assert again["__defaults"] == ["name"]


def test_a_name_that_was_given_is_not_reused_when_it_is_left_out() -> None:
    given = check(SECRET, {"name": "own", "data": "aGFsbG8="}, {}, NAMING).inputs
    assert check(SECRET, {"data": "aGFsbG8="}, given, NAMING).inputs["name"] != "own"


@pytest.mark.parametrize(
    ("resource", "news", "path", "reason"),
    [
        (SERVICE, {"name": "web"}, "taskSpec", "is missing"),
        (CONFIG, {"name": "c"}, "data", "give exactly one of data and dataRaw"),
        (CONFIG, {"name": "c", "data": "", "dataRaw": ""}, "data", "give exactly one of"),
        (NETWORK, {"name": "n", "scope": "swarm"}, "scope", "unknown property; known are"),
        (
            SERVICE,
            _service(stopGracePeriod="20"),
            "taskSpec.containerSpec.stopGracePeriod",
            "'20' is not a duration such as 500ms, 10s or 1m30s",
        ),
        (
            SERVICE,
            _service(mounts=[{"type": "npipe", "target": "/x"}]),
            "taskSpec.containerSpec.mounts[0].type",
            "'npipe' is not one of bind, volume, tmpfs",
        ),
        (SERVICE, _service(env=["A=1"]), "taskSpec.containerSpec.env", "expected a map"),
        (
            SERVICE,
            {**_service(), "mode": {"global": True}, "convergeConfig": {}},
            "convergeConfig",
            "does not go with a global service",
        ),
    ],
)
def test_a_mistake_is_named_with_its_path(
    resource: Resource, news: dict[str, Any], path: str, reason: str
) -> None:
    failures = check(resource, news, {}, NAMING).failures
    assert any(where == path and text.startswith(reason) for where, text in failures), failures


def test_numbers_and_booleans_become_what_the_property_is() -> None:
    news = _service(env={"PORT": 80, "DEBUG": True}, readOnly="true", secrets=[])
    container = check(SERVICE, news, {}, NAMING).inputs["taskSpec"]["containerSpec"]
    assert container["env"] == {"PORT": "80", "DEBUG": "true"}
    assert container["readOnly"] is True


def test_unknown_values_pass_the_check() -> None:
    checked = check(SERVICE, _service(stopGracePeriod=UNKNOWN), {}, NAMING)
    assert checked.failures == []
    container = checked.inputs["taskSpec"]["containerSpec"]
    assert container["stopGracePeriod"] == UNKNOWN


def test_a_provider_s_list_with_something_unknown_is_unknown() -> None:
    assert check_config({"sshOpts": ["-i", UNKNOWN]}) == ({"sshOpts": UNKNOWN}, [])


def test_a_provider_s_lists_are_kept_as_compact_json() -> None:
    inputs, failures = check_config(
        {"host": "ssh://u@h:22", "sshOpts": '["-o", "A=<b>"]', "version": "5.1.0"}
    )
    assert inputs == {
        "host": "ssh://u@h:22",
        "sshOpts": '["-o","A=\\u003cb\\u003e"]',
        "version": "5.1.0",
    }
    assert failures == []


@pytest.mark.parametrize(
    ("news", "key", "reason"),
    [
        ({"host": "tcp://h:2375"}, "host", "needs the official docker plugin"),
        ({"host": "ssh://u:pw@h"}, "host", "use a key and sshOpts"),
        ({"certPath": "/x"}, "certPath", "needs the official docker plugin"),
        ({"sshOpts": "-i key"}, "sshOpts", "is not JSON"),
        ({"hots": "x"}, "hots", "unknown property"),
    ],
)
def test_a_provider_that_cannot_work_is_refused(
    news: dict[str, Any], key: str, reason: str
) -> None:
    _, failures = check_config(news)
    assert [where for where, text in failures if reason in text] == [key]
    assert "pw@" not in str(failures)


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0s"),
        (7, "7ns"),
        (1_500_000, "1.5ms"),
        (2_500_000_000, "2.5s"),
        (60 * 10**9, "1m"),
        (90 * 10**9, "1m30s"),
        (3600 * 10**9, "1h"),
    ],
)
def test_durations_are_written_as_go_writes_them(nanoseconds: int, text: str) -> None:
    assert durations.show(nanoseconds) == text
    assert durations.parse(text) == nanoseconds


@pytest.mark.parametrize("text", ["", "10", "1d", "s", "1 s", "1s2"])
def test_what_go_cannot_read_is_no_duration(text: str) -> None:
    assert durations.parse(text) is None
