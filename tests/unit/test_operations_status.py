"""The table of a lab: every phone is in it, whatever is off, and every gap has its reason."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from components.phones.survey import Survey
from components.remote.ssh import Host, PhoneError, UnreachableError
from operations import status
from operations.nodes import Node, parse
from operations.parallel import gather
from operations.status import COLUMNS, Sight, look, notes, rows
from tests.unit.operations_samples import manager, node, phone, seen

PHONES = {"phone-1": phone("phone-1", "manager"), "phone-2": phone("phone-2")}


def table(sight: Sight) -> dict[str, dict[str, str]]:
    return {row[0]: dict(zip(COLUMNS, row, strict=True)) for row in rows(PHONES, sight)}


def sight(*nodes: Node, **changes: Survey | PhoneError) -> Sight:
    phones = {name: seen(name) for name in PHONES}
    phones |= {name.replace("_", "-"): value for name, value in changes.items()}
    return Sight(phones=phones, nodes=nodes, no_nodes="")


def test_a_member_is_shown_as_the_managers_and_the_phone_tell() -> None:
    shown = table(sight(manager("phone-1", leader=True), node("phone-2", availability="drain")))
    assert shown["phone-1"]["state"] == "ready, leader"
    assert shown["phone-2"] == {
        "phone": "phone-2",
        "role": "worker",
        "state": "ready, drain",
        "address": "192.168.8.12",
        "Docker": "29.5.3",
        "containers": "3",
        "free memory": "900 of 1900 MB",
        "free disk": "20000 MB",
        "battery": "80 %",
        "temperature": "31.5 °C",
        "wifi signal": "cloudlet 71 %",
    }


def test_a_phone_that_is_off_stands_in_the_table_with_the_reason_below() -> None:
    off = UnreachableError("phone-2 does not answer at 192.168.8.12:22: no route to host")
    what = sight(manager("phone-1"), node("phone-2", state="down"), phone_2=off)
    assert table(what)["phone-2"]["state"] == "no answer, down"
    assert table(what)["phone-2"]["battery"] == "-"
    assert list(notes(PHONES, what)) == [str(off)]


def test_a_registry_whose_phone_is_off_is_told_with_what_is_lost_and_what_to_write() -> None:
    off = UnreachableError("phone-2 does not answer at 192.168.8.12:22: no route to host")
    what = sight(manager("phone-1"), node("phone-2", state="down"), phone_2=off)
    assert list(notes(PHONES, what, "phone-2")) == [
        str(off),
        "phone-2 has the lab's registry. What runs goes on, but until the phone is back nothing is "
        "built, and no other can pull what was built. Start it, or write cloudlet:registry: "
        "{phone: phone-1} and run `make up`: all of it is built anew for that one",
    ]


def test_a_phone_without_battery_and_wifi_has_dashes_there() -> None:
    bare = seen("phone-2", battery_percent=None, battery_celsius=None, wifi=None)
    shown = table(sight(manager("phone-1"), node("phone-2"), phone_2=bare))["phone-2"]
    assert (shown["battery"], shown["temperature"], shown["wifi signal"]) == ("-", "-", "-")


def test_docker_that_does_not_run_stands_where_its_version_would() -> None:
    stopped = replace(seen("phone-2").docker, state="stopped", containers=None)
    shown = table(sight(manager("phone-1"), phone_2=seen("phone-2", docker=stopped)))["phone-2"]
    assert (shown["Docker"], shown["containers"], shown["state"]) == ("stopped", "-", "no member")


def test_a_phone_that_left_is_no_member_whatever_the_list_still_says() -> None:
    gone = replace(seen("phone-2").swarm, node_id="")
    what = sight(
        manager("phone-1"), node("phone-2", state="down"), phone_2=seen("phone-2", swarm=gone)
    )
    assert table(what)["phone-2"]["state"] == "down, left"
    assert list(notes(PHONES, what)) == [
        "phone-2 has left the swarm: `make refresh up` makes it a member again"
    ]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("stopped", "Docker is stopped: `make refresh up` starts it, and at each boot"),
        ("missing", "Docker is not there: `make refresh up` installs it"),
        (
            "silent",
            "Docker gives no answer; if that lasts, `make drill-reboot PHONE=phone-2` reboots "
            "the phone",
        ),
    ],
)
def test_a_member_whose_docker_is_off_has_not_left_and_it_is_told_what_to_run(
    state: Any, words: str
) -> None:
    stopped = replace(seen("phone-2").docker, state=state, containers=None)
    off = seen("phone-2", docker=stopped, swarm=replace(seen("phone-2").swarm, node_id=""))
    what = sight(manager("phone-1"), node("phone-2"), phone_2=off)
    assert table(what)["phone-2"]["state"] == f"Docker {state}, ready"
    assert list(notes(PHONES, what)) == [f"phone-2: {words}"]


def test_a_majority_that_is_lost_is_told_while_a_leader_still_gives_its_list() -> None:
    off = UnreachableError("phone-2 does not answer")
    what = sight(manager("phone-1", leader=True), manager("phone-2"), phone_2=off)
    phones = {**PHONES, "phone-2": phone("phone-2", "manager")}
    assert list(notes(phones, what)) == [
        "phone-2 does not answer",
        "the swarm has lost the majority of its managers: 2 managers need 2 to answer, and 1 "
        "answers. Start the managers that are off; if they are lost for good, `make recover "
        "PHONE=…` lets one that is left go on alone",
    ]


def test_without_a_list_no_state_is_claimed_and_the_reason_is_told() -> None:
    what = Sight(phones={name: seen(name) for name in PHONES}, nodes=None, no_nodes="none told")
    assert table(what)["phone-1"]["state"] == "unknown"
    assert list(notes(PHONES, what)) == ["none told"]


def test_what_keeps_us_from_all_phones_alike_is_told_once() -> None:
    missing = "ssh.privateKeyFile: key does not exist; make one with ssh-keygen -t ed25519"
    phones = {name: PhoneError(missing) for name in PHONES}
    what = Sight(phones=phones, nodes=None, no_nodes="none told")
    assert list(notes(PHONES, what)) == [missing, "none told"]


def test_a_role_other_than_configured_and_a_stranger_are_told() -> None:
    what = sight(manager("phone-1"), manager("phone-2"), node("phone-9", state="down"))
    assert list(notes(PHONES, what)) == [
        "phone-2 is to be a worker: `make refresh up` sees to it",
        "The swarm also lists phone-9 (id-phone-9, down), which is no phone of the configuration; "
        "`docker node rm --force id-phone-9` on a manager takes it off",
    ]


def test_what_docker_lists_becomes_nodes_known_by_their_label() -> None:
    entry = {
        "ID": "a",
        "Version": {"Index": 12},
        "Description": {"Hostname": "flame"},
        "Status": {"State": "ready"},
        "Spec": {
            "Role": "manager",
            "Availability": "active",
            "Labels": {"cloudlet.phone": "phone-1"},
        },
        "ManagerStatus": {"Leader": True, "Reachability": "reachable"},
    }
    bare = {**entry, "ID": "b", "Spec": {"Role": "worker", "Availability": "pause"}}
    del bare["ManagerStatus"]
    first, second = parse([entry, bare])
    assert first == manager("phone-1", id="a", hostname="flame", leader=True, index=12)
    assert (second.phone, second.reachable, second.availability) == ("", False, "pause")


def host(name: str) -> Host:
    return Host(name=name, host="192.0.2.1", port=22, user="cloudlet", key_file="none")


def test_a_phone_that_hangs_does_not_keep_the_others_waiting_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def survey(host: Host, **_: float) -> Survey:
        if host.name == "phone-2":
            threading.Event().wait(30)
        return seen(host.name)

    def listed(host: Host, _seconds: float) -> list[Node]:
        if host.name == "phone-1":
            return [manager("phone-1")]
        threading.Event().wait(30)
        return []

    monkeypatch.setattr(status, "survey", survey)
    monkeypatch.setattr(status, "listed_by", listed)
    hosts = [host("phone-1"), host("phone-2")]
    started = time.monotonic()
    what = look(hosts, hosts, seconds=0.2)
    assert time.monotonic() - started < 5
    assert what.nodes == [manager("phone-1")]
    assert str(what.phones["phone-2"]) == "phone-2 has not told how it is within 0 s"


def test_one_managers_list_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    def listed(host: Host, _seconds: float) -> list[Node]:
        if host.name == "phone-1":
            raise PhoneError("phone-1: Docker says: This node is not a swarm manager")
        return [manager("phone-2")]

    monkeypatch.setattr(status, "survey", lambda host, **_: seen(host.name))
    monkeypatch.setattr(status, "listed_by", listed)
    hosts = [host("phone-1"), host("phone-2")]
    what = look(hosts, hosts)
    assert (what.nodes, what.no_nodes) == ([manager("phone-2")], "")


def test_a_mistake_in_a_job_is_not_taken_for_a_phones_failure() -> None:
    def broken() -> None:
        raise ZeroDivisionError

    jobs: dict[str, Callable[[], None]] = {"phone-1": broken}
    with pytest.raises(ZeroDivisionError):
        gather(jobs, 5)
