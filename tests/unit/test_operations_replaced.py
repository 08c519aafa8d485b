"""A replaced phone is forgotten whole, and nothing that stays depends on what went."""

from __future__ import annotations

import json
from typing import Any

import pytest

from operations.replaced import as_workers, forget, host_keys, renew_key, take_over
from tests.unit.operations_samples import host_key, state_of

STATE = {"version": 3, "deployment": {"resources": state_of("phone-1", "phone-2", "phone-10")}}


def names(state: dict[str, Any]) -> set[str]:
    return {each["urn"].rsplit("::", 1)[-1] for each in state["deployment"]["resources"]}


def test_the_phone_its_steps_and_its_membership_go_and_nothing_else() -> None:
    assert names(STATE) - names(forget(STATE, "phone-1")) == {
        "phone-1",
        "phone-1-contact",
        "phone-1-condition",
        "swarm-phone-1",
    }


@pytest.mark.parametrize("phone", ["phone-1", "phone-2", "phone-10"])
def test_what_stays_depends_on_nothing_that_went(phone: str) -> None:
    after = forget(STATE, phone)["deployment"]["resources"]
    there = {each["urn"] for each in after}
    for each in after:
        named = [*each.get("dependencies", []), each.get("parent"), each.get("deletedWith")]
        named += [urn for urns in each.get("propertyDependencies", {}).values() for urn in urns]
        assert {urn for urn in named if urn} <= there


def test_the_export_that_was_given_stays_as_it_was() -> None:
    before = json.dumps(STATE)
    take_over(STATE, "phone-1", "ssh-ed25519 AAAA-new")
    assert json.dumps(STATE) == before


def test_what_reaches_the_phone_expects_the_new_machines_key() -> None:
    after = take_over(STATE, "phone-1", "ssh-ed25519 AAAA-new")
    text = json.dumps(after)
    assert 'AAAA-key-of-phone-1"' not in text
    assert host_keys(after)["phone-1"] == "ssh-ed25519 AAAA-new"
    provider = after["deployment"]["resources"][-1]
    assert provider["inputs"]["sshOpts"][0] == "AAAA-new"


def test_other_phones_keep_their_keys() -> None:
    after = renew_key(STATE, host_key("phone-1") + "x", "ssh-ed25519 AAAA-new")
    assert after == STATE
    assert host_keys(after)["phone-2"] == host_key("phone-2")


def test_a_state_of_nothing_has_no_keys() -> None:
    assert host_keys({"deployment": {}}) == {}
    assert forget({"deployment": {}}, "phone-1") == {"deployment": {"resources": []}}


def test_managers_that_the_swarm_made_workers_are_known_as_such_and_nothing_else_changes() -> None:
    after = as_workers(STATE, ["phone-1", "phone-9"])
    changed = [
        (before["urn"].rsplit("::", 1)[-1], now["inputs"]["role"], now["outputs"]["role"])
        for before, now in zip(
            STATE["deployment"]["resources"], after["deployment"]["resources"], strict=True
        )
        if before != now
    ]
    assert changed == [("swarm-phone-1", "worker", "worker")]


def test_a_registry_that_was_on_the_phone_is_made_anew_and_one_on_another_is_not() -> None:
    kind = "pulumi-python:dynamic/cloudlet:Registry"
    registry = {"urn": f"urn:pulumi:dev::cloudlet::{kind}::registry", "type": kind}
    registry |= {"inputs": {"name": "phone-1"}}
    built = {"urn": "urn:built", "type": "x", "inputs": {}, "deletedWith": registry["urn"]}
    state = {"deployment": {"resources": [registry, built]}}
    (left,) = forget(state, "phone-1")["deployment"]["resources"]
    assert (left["urn"], "deletedWith" in left) == ("urn:built", False)
    assert forget(state, "phone-2") == state
