from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import yaml

from bench import ansible, plain, results, timeline
from bench.cluster import ROOT, STEPS, Cluster
from bench.measure import Line, Measured, measure
from bench.results import Result
from components import compose, config

PRINTED = (
    (0.1, " +  pulumi:pulumi:Stack cloudlet-dev creating (0s) "),
    (0.2, " +  cloudlet:index:Phone phone-1 creating (0s) "),
    (0.5, " +  pulumi-python:dynamic/cloudlet:Contact phone-1-contact creating (0s) "),
    (0.7, " +  pulumi-python:dynamic/cloudlet:Contact phone-1-contact creating (0s) a word"),
    (0.9, "@ updating....\n"),
    (1.5, " +  pulumi-python:dynamic/cloudlet:Contact phone-1-contact created (1s) "),
    (1.6, " ++ command:remote:Command phone-1-wifi creating (0s) "),
    (2.0, " +  docker:index/service:Service web creating (0s) "),
    (2.5, " ~  docker:index/service:Service old updating (0s) [diff: ~image]"),
    (2.8, " +  docker:index/service:Service web created (0.81s) "),
    (3.0, " ~  docker:index/service:Service old updated (0.50s) [diff: ~image]"),
)


def result(phones: int, seconds: float, tool: str = "cloudlet", step: str = "preview") -> Result:
    return Result(
        at="2026-11-28 12:00",
        commit="abc",
        tool=tool,
        step=step,
        phones=phones,
        seconds=seconds,
        peak_mb=100.0,
        load=0.5,
    )


def test_a_resources_step_is_from_its_first_line_to_its_last() -> None:
    found = timeline.spans(Line(at=at, text=text) for at, text in PRINTED)
    assert [(span.name, round(span.begin, 1), round(span.end, 1)) for span in found] == [
        ("phone-1-contact", 0.5, 1.5),
        ("web", 2.0, 2.8),
        ("old", 2.5, 3.0),
    ]


def test_the_timeline_is_drawn() -> None:
    found = timeline.spans(Line(at=at, text=text) for at, text in PRINTED)
    assert timeline.png(found, "up").startswith(b"\x89PNG")


def test_results_add_up_and_the_table_has_median_and_range(tmp_path: Path) -> None:
    file = tmp_path / "kept" / "results.jsonl"
    assert results.read(file) == []
    for one in (result(4, 3.0), result(4, 9.0), result(4, 4.0), result(16, 5.0)):
        results.keep(file, one)
    text = results.table(results.read(file))
    assert "| cloudlet: preview | 4.0 s (3.0 to 9.0, 3 runs) | 5.0 s (one run) |" in text
    assert results.png(results.read(file)).startswith(b"\x89PNG")


def test_what_was_not_measured_is_said() -> None:
    text = results.table([result(4, 3.0), result(16, 5.0, tool="Ansible", step="up")])
    assert "| Ansible: up | not measured | 5.0 s (one run) |" in text


def test_a_command_is_measured_with_what_it_starts(tmp_path: Path) -> None:
    inner = "x = bytearray(60_000_000); import time; time.sleep(0.6)"
    code = (
        "import subprocess, sys; print('begun', flush=True); "
        f"subprocess.run([sys.executable, '-c', {inner!r}])"
    )
    done = measure([sys.executable, "-c", code], tmp_path, {})
    assert done.status == 0
    assert done.output == "begun\n"
    assert done.lines[0].at < done.seconds
    assert done.peak_mb > 60


def test_a_life_ends_with_what_it_began() -> None:
    assert [step.arguments[0] for step in STEPS] == ["up", "up", "preview", "refresh", "destroy"]


def test_a_plain_container_has_the_settings_of_its_service() -> None:
    service = compose.Service(
        name="postgres",
        image="docker.io/library/postgres:14-alpine",
        environment={"A": "1"},
        hostname="rabbitmq",
        command=("--fast",),
        ports=(compose.Port(target=22, published=5000),),
        mounts=(compose.Mount(type="volume", source="x_data", target="/data"),),
        resources=compose.Resources(limit_memory=1000),
    )
    line = plain.run_arguments(service, "cloudlet-lab/postgres:1")
    assert line[line.index("--memory=1000") :] == [
        "--memory=1000",
        "--volume=/data",
        "cloudlet-lab/postgres:1",
        "--fast",
    ]
    assert {"--env=A=1", "--publish=127.0.0.254:5000:22", "--network-alias=postgres"} <= set(line)


@pytest.mark.parametrize(("count", "did"), [(0, False), (2, True)])
def test_a_playbooks_recap_says_whether_it_changed_anything(count: int, did: bool) -> None:
    recap = (
        "phone-1 : ok=14 changed=0 unreachable=0 failed=0\n"
        f"phone-2 : ok=14   changed={count}    unreachable=0\n"
    )
    lines = [Line(at=0.0, text=recap)]
    done = Measured(status=0, seconds=1.0, peak_mb=1.0, lines=lines)
    assert ansible.changed(done) is did


def test_a_hundred_phones_that_do_not_exist_make_a_sound_configuration(tmp_path: Path) -> None:
    cluster = Cluster(name="nowhere", folder=tmp_path)
    cluster.nowhere(100)
    cluster.deploy(50)
    written = yaml.safe_load(cluster.config.read_text())["config"]
    values = {
        key.removeprefix("cloudlet:"): value if isinstance(value, str) else json.dumps(value)
        for key, value in written.items()
        if not isinstance(value, dict) or "secure" not in value
    }
    secrets = {"password": "1234", "wifiPassword": "my-secure-password", "secrets": "{}"}
    lab = config.load(values | secrets, root=ROOT)
    assert len(lab.phones) == 100
    assert list(lab.stacks) == ["many"]
