"""The command stand-in's plans: the official plugin's, so that either can go on with a state."""

from __future__ import annotations

from typing import Any

import pytest

from toolchain.command_plugin.inputs import check
from toolchain.command_plugin.plan import changes, preview_create, preview_update
from toolchain.command_plugin.redaction import Redaction
from toolchain.plugin.properties import UNKNOWN, Secret

CONNECTION = {"host": "h", "user": "root", "port": 22, "dialErrorLimit": 10, "perDialTimeout": 15}
INPUTS: dict[str, Any] = {"connection": Secret(CONNECTION), "create": "a"}
STATE: dict[str, Any] = {**INPUTS, "stdout": "o", "stderr": ""}


def _diff(new: dict[str, Any], old: dict[str, Any] | None = None, ignore: tuple[str, ...] = ()):
    found = changes(old or INPUTS, new, STATE, ignore)
    return {change.path: (change.kind.value, change.replaces) for change in found}


def test_a_connection_gets_the_official_defaults_and_is_secret() -> None:
    checked = check({"connection": {"host": "h"}, "create": "a"})
    assert checked.failures == []
    assert checked.inputs == INPUTS


def test_credentials_are_secret_even_inside_the_secret_connection() -> None:
    given = {"connection": {"host": "h", "password": "p", "privateKey": Secret("k")}}
    connection = check(given).inputs["connection"].value
    assert connection["password"] == Secret("p")
    assert connection["privateKey"] == Secret("k")


def test_a_proxy_gets_defaults_too_and_is_no_secret_of_its_own() -> None:
    checked = check({"connection": {"host": "h", "proxy": {"host": "p"}}})
    assert checked.inputs["connection"].value["proxy"] == {**CONNECTION, "host": "p"}


def test_what_is_not_known_yet_passes() -> None:
    given = {"connection": UNKNOWN, "create": UNKNOWN}
    assert check(given).inputs == {"connection": Secret(UNKNOWN), "create": UNKNOWN}


@pytest.mark.parametrize(
    ("given", "property_", "reason"),
    [
        ({}, "connection", "is required"),
        ({"connection": {}}, "connection.host", "is required"),
        ({"connection": {"host": "h", "port": "22"}}, "connection.port", "must be a number"),
        ({"connection": {"host": "h", "hots": "x"}}, "connection.hots", "is not known"),
        ({"connection": {"host": "h"}, "create": 5}, "create", "must be a string"),
        ({"connection": {"host": "h"}, "logging": "all"}, "logging", "must be one of"),
        (
            {"connection": {"host": "h"}, "environment": {"A": True}},
            "environment.A",
            "must be a string",
        ),
    ],
)
def test_a_mistake_is_named_by_its_property(
    given: dict[str, Any], property_: str, reason: str
) -> None:
    (failure,) = check(given).failures
    assert failure.property == property_
    assert reason in failure.reason


def test_a_rejected_password_is_not_repeated() -> None:
    given = {"connection": {"host": "h", "password": ["hunter22"]}}
    checked = check(given)
    assert checked.failures
    assert "hunter22" not in str(checked)


def test_nothing_changed_is_no_change() -> None:
    assert _diff(dict(INPUTS)) == {}


def test_any_changed_input_is_an_update() -> None:
    assert _diff({**INPUTS, "create": "b"}) == {"create": ("UPDATE", False)}
    other = {**INPUTS, "connection": Secret({**CONNECTION, "port": 23})}
    assert _diff(other) == {"connection": ("UPDATE", False)}
    assert _diff({**INPUTS, "delete": "d"}) == {"delete": ("ADD", False)}


def test_triggers_that_appear_or_vanish_replace() -> None:
    triggered = {**INPUTS, "triggers": ["x"]}
    assert _diff(triggered) == {"triggers": ("ADD", True)}
    assert _diff(INPUTS, triggered) == {"triggers": ("DELETE", True)}


def test_a_changed_trigger_is_left_to_the_engine_to_replace() -> None:
    found = _diff({**INPUTS, "triggers": ["y"]}, {**INPUTS, "triggers": ["x", "z"]})
    assert found == {"triggers[0]": ("UPDATE", False), "triggers[1]": ("DELETE", False)}


def test_an_input_that_became_secret_is_an_update() -> None:
    assert _diff({**INPUTS, "create": Secret("a")}) == {"create": ("UPDATE", False)}


def test_a_change_that_is_ignored_is_none() -> None:
    other = {**INPUTS, "connection": Secret({**CONNECTION, "port": 23})}
    assert _diff(other, ignore=("connection",)) == {}


def test_what_the_engine_adds_for_itself_is_no_change() -> None:
    assert _diff({**INPUTS, "version": "2", "__defaults": []}) == {}


def test_a_variables_name_is_quoted_where_it_must_be() -> None:
    old = {**INPUTS, "environment": {"A": "1"}}
    new = {**INPUTS, "environment": {"A": "2", "B.c": "1"}}
    assert set(_diff(new, old)) == {"environment.A", 'environment["B.c"]'}


def test_a_preview_knows_the_inputs_and_not_what_will_be_printed() -> None:
    assert preview_create(INPUTS) == {**INPUTS, "stdout": UNKNOWN, "stderr": UNKNOWN}


def test_a_preview_keeps_what_was_printed_until_an_input_differs() -> None:
    assert preview_update(STATE, INPUTS)["stdout"] == "o"
    assert preview_update(STATE, {**INPUTS, "create": "b"})["stdout"] is UNKNOWN
    assert preview_update(STATE, {**INPUTS, "create": UNKNOWN})["stdout"] is UNKNOWN


def test_secrets_are_hidden_whole_and_by_line_but_hosts_are_not() -> None:
    given = {
        "connection": Secret({"host": "phone-1", "password": Secret("hunter22")}),
        "stdin": Secret("first line\nsecond line\n"),
        "create": "cat",
    }
    redact = Redaction(given, "create")
    assert redact("phone-1: hunter22") == "phone-1: [secret]"
    assert redact("second line") == "[secret]"
    assert "hunter22" not in repr(given)


def test_of_a_secret_command_nothing_is_shown() -> None:
    assert Redaction({"create": Secret("x")}, "create").all_hidden
    assert not Redaction({"create": "x"}, "create").all_hidden
