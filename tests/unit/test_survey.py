"""What a phone tells of itself, and that a run asks it once."""

from __future__ import annotations

import base64
import threading
import time

import pytest

from components.memo import forget, once
from components.phones import survey as surveys
from components.phones.survey import Firewall, SwarmBelief, parse, recent
from components.remote.ssh import Host, UnreachableError

HOST = Host(name="phone-7", host="h", port=22, user="cloudlet", key_file="k")
TOLD = f"""clock=1000
root=yes
model=LGE Nexus 5
kernel=6.16.3-msm8974
memory_mb=1904
free_memory_mb=1200
free_disk_mb=9000
battery_percent=87
battery_decidegrees=296
docker=running
architecture=armv7l
docker_version=28.3.3
containers_running=3
swarm_state=active
swarm_node_id=abc
swarm_address=192.168.8.12
swarm_manager=true
swarm_id=def
swarm_error=
docker_at_boot=yes
docker_awaits_wifi=no
user_may_use_docker=yes
daemon_json={base64.b64encode(b'{"debug": true}').decode()}
wifi_device=wlan0
wifi_ssid=a=b
wifi_autoconnect=yes
wifi_priority=100
wifi_signal=61
firewall=drops
firewall_lets_in=2 192.168.8.12 4789
firewall_at_boot=
"""


def test_a_phone_is_told_with_its_units() -> None:
    seen = parse(TOLD, asked_at=980, answered_at=990.5)
    assert seen.facts["architecture"] == "armv7l"
    assert (seen.memory_mb, seen.free_memory_mb, seen.free_disk_mb) == (1904, 1200, 9000)
    assert (seen.battery_percent, seen.battery_celsius) == (87, 29.6)
    assert seen.clock_off == pytest.approx(9.5)
    assert seen.docker.state == "running"
    assert (seen.docker.containers, seen.docker.awaits_wifi) == (3, False)
    assert seen.docker.daemon_json == '{"debug": true}'
    assert seen.swarm == SwarmBelief(
        state="active",
        node_id="abc",
        address="192.168.8.12",
        manager=True,
        cluster_id="def",
        error="",
    )
    assert seen.wifi is not None
    assert (seen.wifi.ssid, seen.wifi.priority, seen.wifi.signal) == ("a=b", 100, 61)
    assert seen.firewall == Firewall(now="2 192.168.8.12 4789", at_boot="")


@pytest.mark.parametrize(
    ("clock", "ahead"), [(990, -10), (1000, 0), (1007, 0), (1020, 0), (1050, 30)]
)
def test_a_slow_answer_makes_no_clock_wrong(clock: int, ahead: float) -> None:
    seen = parse(f"clock={clock}\nroot=no\n", asked_at=1000, answered_at=1020)
    assert seen.clock_off == pytest.approx(ahead)


def test_what_a_phone_does_not_tell_is_unknown_and_not_nought() -> None:
    text = "clock=1000\nroot=no\ndocker=stopped\ndocker_at_boot=no\n"
    seen = parse(text, asked_at=1000, answered_at=1001)
    assert seen.facts == {}
    assert not seen.root
    assert (seen.docker.state, seen.docker.containers, seen.docker.awaits_wifi) == (
        "stopped",
        None,
        None,
    )
    assert (seen.swarm.state, seen.swarm.node_id) == ("", "")
    assert (seen.wifi, seen.firewall, seen.battery_percent, seen.memory_mb) == (
        None,
        None,
        None,
        None,
    )


def test_threads_that_ask_together_cost_one_call() -> None:
    calls: list[int] = []

    def make() -> int:
        time.sleep(0.05)
        calls.append(1)
        return len(calls)

    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(once("together", make, 5))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [1] * 8
    forget("together")
    assert once("together", make, 5) == 2


def test_an_error_is_remembered_as_an_answer_is_and_both_for_their_time_only() -> None:
    calls: list[int] = []

    def fail() -> None:
        calls.append(1)
        raise UnreachableError("off")

    for _ in range(2):
        with pytest.raises(UnreachableError):
            once("failing", fail, 5)
    assert len(calls) == 1
    counted = iter((1, 2))
    assert [once("brief", lambda: next(counted), 0) for _ in range(2)] == [1, 2]


def test_a_phone_that_is_off_is_dialled_and_told_once_however_many_ask(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dialled: list[Host] = []

    def refuse(host: Host) -> None:
        dialled.append(host)
        raise UnreachableError(f"{host.name} does not answer.")

    monkeypatch.setattr(surveys, "connect", refuse)
    assert [recent(HOST), recent(HOST)] == [None, None]
    surveys.outdated(HOST)
    assert len(dialled) == 1
    assert capsys.readouterr().out.count("phone-7 does not answer. It stays") == 1
