"""The swarm as a resource: found or made once, and no plan may cost it its majority."""

from __future__ import annotations

from typing import Any

import pytest
from fake_swarm import SWARM, Node, Swarm

from components import swarm_init
from components.members import managers
from components.remote.ssh import Host, PhoneError
from components.swarm_init import SwarmInitProvider

PROVIDER = SwarmInitProvider()
SETTINGS = {
    "address_pool": "10.20.0.0/16",
    "address_pool_mask": 24,
    "certificate_expiry": "31536000000000000",
    "heartbeat": "20000000000",
    "data_path_port": 4789,
}


def props(*leaders: str, **changes: Any) -> dict[str, Any]:
    """Inputs where the phones m1 to m3 are known and ``leaders``, all if none, are managers."""
    managers = [
        {
            **Host(name=name, host=name, port=22, user="u", key_file="k").to_inputs(),
            "address": f"10.0.1.{name[-1]}",
        }
        for name in ("m1", "m2", "m3")
    ]
    return {
        "managers": managers,
        "leaders": list(leaders or ("m1", "m2", "m3")),
        "settings": SETTINGS,
        "token_epoch": 0,
        **changes,
    }


@pytest.fixture
def swarm(monkeypatch: pytest.MonkeyPatch) -> Swarm:
    """Three managers."""
    names = {"a": "m1", "b": "m2", "c": "m3"}
    made = Swarm(
        **{
            key: Node(hostname="phone", phone=name, role="manager", labels={"cloudlet.phone": name})
            for key, name in names.items()
        }
    )
    made.patch(monkeypatch)
    return made


def test_a_swarm_that_is_there_is_used(swarm: Swarm) -> None:
    made = PROVIDER.create(props())
    assert made.id == SWARM
    assert swarm.log == []


def test_the_swarm_is_made_on_the_first_manager_at_its_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    swarm = Swarm()
    swarm.patch(monkeypatch)
    assert PROVIDER.create(props("m2", "m3")).id == SWARM
    assert swarm.log == ["m2: POST /swarm/init"]
    assert swarm.bodies[0]["AdvertiseAddr"] == "10.0.1.2"
    assert swarm.bodies[0]["DataPathPort"] == 4789


def test_managers_of_two_swarms_are_named(swarm: Swarm) -> None:
    swarm.nodes["b"].swarm = "two"
    with pytest.raises(PhoneError, match=r"in different swarms \(m1 in swarm-1, m2 in two"):
        PROVIDER.create(props())


def test_a_swarm_that_somebody_else_made_is_neither_used_nor_ended(swarm: Swarm) -> None:
    swarm.nodes["a"].swarm = "theirs"
    with pytest.raises(PhoneError, match=r"m1 manages a swarm that cloudlet did not make"):
        PROVIDER.create(props())
    assert swarm.log == []


@pytest.mark.parametrize(
    ("others", "why"),
    [
        (("10.0.1.2:2377", "10.9.9.9:2377"), "a manager of it is no phone of ours"),
        (("10.0.1.2:2377", "10.0.1.3:2377"), "two of three are enough, they may elect a leader"),
    ],
)
def test_a_swarm_that_may_find_its_majority_again_is_not_ended_for_a_new_one(
    swarm: Swarm, monkeypatch: pytest.MonkeyPatch, others: tuple[str, ...], why: str
) -> None:
    monkeypatch.setattr(swarm_init, "ELECTION_SECONDS", 0.0)
    for key in ("a", "b"):
        swarm.nodes[key].swarm = "lost"
        swarm.nodes[key].remote_managers = others
    del swarm.nodes["c"]
    with pytest.raises(PhoneError, match=r"m1 manages a swarm whose majority is lost; start"):
        PROVIDER.create(props())
    assert swarm.log == [], why


def test_managers_that_are_back_elect_a_leader_and_their_swarm_is_used(
    swarm: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("a", "b"):
        swarm.nodes[key].swarm = "lost"
        swarm.nodes[key].remote_managers = ("10.0.1.2:2377", "10.0.1.3:2377")
    del swarm.nodes["c"]

    def elected(_: float) -> None:
        for node in swarm.nodes.values():
            node.swarm = SWARM

    monkeypatch.setattr(managers.time, "sleep", elected)
    assert PROVIDER.create(props()).id == SWARM
    assert swarm.log == []


def test_a_phone_that_was_off_while_its_lab_was_destroyed_leaves_what_is_no_swarm_any_more(
    swarm: Swarm, capsys: pytest.CaptureFixture[str]
) -> None:
    swarm.nodes["a"].swarm = "lost"
    swarm.nodes["a"].remote_managers = ("10.0.1.2:2377", "10.0.1.3:2377")
    for key in ("b", "c"):
        del swarm.nodes[key]
    assert PROVIDER.create(props()).id == SWARM
    assert swarm.log == ["m1: POST /swarm/leave", "m1: POST /swarm/init"]
    assert "m1: leaving a swarm that its other managers have left" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"address_pool": "10.30.0.0/16"}, r"swarm\.addressPool is set .* put back 10\.20\.0\.0"),
        ({"address_pool_mask": 25.0}, r"swarm\.addressPoolMask is set .* put back 24,"),
        ({"data_path_port": 4790.0}, r"swarm\.dataPathPort is set .* put back 4789,"),
    ],
)
def test_what_a_swarm_is_made_with_cannot_change_and_the_preview_says_so(
    changes: dict[str, Any], key: str
) -> None:
    with pytest.raises(PhoneError, match=key):
        PROVIDER.diff(SWARM, props(), props(settings={**SETTINGS, **changes}))


def test_a_preview_does_not_know_ports_that_older_labs_did_not_record() -> None:
    older = {key: value for key, value in SETTINGS.items() if key != "data_path_port"}
    assert PROVIDER.diff(SWARM, props(settings=older), props()).changes


def test_a_plan_tells_what_changes_of_the_swarm(capsys: pytest.CaptureFixture[str]) -> None:
    slower = {**SETTINGS, "heartbeat": "5000000000"}
    assert PROVIDER.diff(SWARM, props(), props(settings=slower, token_epoch=7)).changes
    assert capsys.readouterr().out == (
        "swarm: heartbeat in seconds 20 → 5\n"
        "swarm: another tokenEpoch, so both join tokens are made anew\n"
    )


def test_another_token_epoch_makes_both_tokens_anew(swarm: Swarm) -> None:
    assert PROVIDER.diff(SWARM, props(), props(token_epoch=1.0)).changes
    PROVIDER.update(SWARM, props(), props(token_epoch=1.0))
    assert swarm.queries[-1]["rotateWorkerToken"] is True
    assert swarm.queries[-1]["rotateManagerToken"] is True


def test_other_settings_leave_the_tokens_as_they_are(swarm: Swarm) -> None:
    PROVIDER.update(SWARM, props(), props(settings={**SETTINGS, "heartbeat": "5000000000"}))
    assert swarm.bodies[-1]["Dispatcher"] == {"HeartbeatPeriod": 5_000_000_000}
    assert swarm.queries[-1]["rotateWorkerToken"] is False


def test_a_refresh_records_how_the_managers_see_each_other(swarm: Swarm) -> None:
    swarm.nodes["c"].on = False
    outs = PROVIDER.read(SWARM, props()).outs
    assert outs is not None
    assert outs["reachability"] == {"m1": "reachable", "m2": "reachable", "m3": "unreachable"}


@pytest.mark.parametrize(
    ("seen", "leaders", "sum_"),
    [
        ("rru", ("m1", "m3"), "without m2: 2 managers need 2 to answer, and 1 answers"),
        ("ruu", ("m1",), "the majority is lost already: 3 managers need 2 to answer, and 1"),
    ],
)
def test_a_preview_refuses_to_lose_the_majority(
    seen: str, leaders: tuple[str, ...], sum_: str
) -> None:
    with pytest.raises(PhoneError, match=sum_):
        PROVIDER.diff(SWARM, props(reachability=reachability(seen)), props(*leaders))


@pytest.mark.parametrize(
    ("seen", "leaders"),
    [
        ("rrr", ("m1",)),
        ("rru", ("m1", "m2")),
        ("rru", ("m1",)),
        ("rru", ("m1", "m3", "m4")),
        ("ruu", ("m1", "m2", "m3")),
        ("", ("m1",)),
    ],
)
def test_a_preview_refuses_nothing_that_the_majority_can_bear(
    seen: str, leaders: tuple[str, ...]
) -> None:
    olds = props(reachability=reachability(seen))
    assert not PROVIDER.diff(SWARM, olds, props(*leaders)).changes


def reachability(seen: str) -> dict[str, str]:
    words = {"r": "reachable", "u": "unreachable"}
    return {f"m{number}": words[letter] for number, letter in enumerate(seen, start=1)}


def test_the_last_manager_ends_the_swarm_and_phones_that_left_are_not_spoken_of(
    swarm: Swarm, capsys: pytest.CaptureFixture[str]
) -> None:
    swarm.nodes["a"].on = False
    swarm.nodes["b"].swarm = ""
    PROVIDER.delete(SWARM, props())
    assert swarm.log == ["m3: POST /swarm/leave"]
    assert capsys.readouterr().out == ""


def test_where_no_manager_answers_it_is_said_what_to_do_on_each(
    swarm: Swarm, capsys: pytest.CaptureFixture[str]
) -> None:
    for node in swarm.nodes.values():
        node.on = False
    PROVIDER.delete(SWARM, props())
    told = capsys.readouterr().out
    assert all(f"{name}: when it is back, run" in told for name in ("m1", "m2", "m3"))
