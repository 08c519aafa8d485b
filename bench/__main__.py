"""How fast it is: ``python -m bench --help``. Results are kept: those of several days add up."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import ansible, plain, results, services, timeline
from bench.cluster import PREVIEW, ROOT, UP, Cluster, life, many
from bench.measure import Measured
from bench.results import Result
from load_test import page
from load_test.run import Load, judged, locust, new_folder
from operations.errors import OperationError
from toolchain.ending import exit_code

FOLDER = ROOT / ".cloudlet" / "bench"
DOCS = ROOT / "docs" / "performance"
PREVIEWED_PHONES = 100


def parser() -> argparse.ArgumentParser:
    """The command line's words."""
    made = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    made.add_argument("--lab", default="bench", help="the simulated lab to use (default: bench)")
    made.add_argument("--folder", type=Path, default=FOLDER, help="where results are kept")
    commands = made.add_subparsers(required=True, metavar="COMMAND")
    one = commands.add_parser("run", help="from bare phones to none, each step measured")
    one.set_defaults(do=_run)
    one.add_argument("--phones", type=_numbers, default=[4, 8, 16], help="such as 4,8,16")
    one.add_argument("--runs", type=int, default=3)
    one = commands.add_parser("preview", help="a preview of phones of which none can be reached")
    one.set_defaults(do=_preview)
    one.add_argument("--phones", type=_numbers, default=[4, 16, PREVIEWED_PHONES])
    one.add_argument("--runs", type=int, default=3)
    one = commands.add_parser("ansible", help="Ansible from bare phones to the same cluster")
    one.set_defaults(do=_ansible)
    one.add_argument("--phones", type=_numbers, default=[4])
    one.add_argument("--runs", type=int, default=3)
    one = commands.add_parser("stack", help="one stack of many services on four phones")
    one.set_defaults(do=_stack)
    one.add_argument("--services", type=int, default=50)
    one.add_argument("--runs", type=int, default=3)
    one = commands.add_parser("plain", help="the shop under load as plain containers, no swarm")
    one.set_defaults(do=_plain)
    one.add_argument("--users", type=int, default=300)
    one.add_argument("--climb", type=float, default=60.0)
    one.add_argument("--time", type=float, default=180.0)
    one.add_argument("--tags", default="menu orders")
    one = commands.add_parser("services", help="what each stand-in service of the shop can do")
    one.set_defaults(do=_services)
    one = commands.add_parser("report", help="tables and pictures into docs/performance")
    one.set_defaults(do=_report)
    return made


def _run(arguments: argparse.Namespace) -> None:
    cluster = _cluster(arguments)
    for phones in arguments.phones:
        for _ in range(arguments.runs):
            load = os.getloadavg()[0]
            try:
                done = life(cluster, phones, _tell)
            finally:
                cluster.gone()
            for step, measured in done.items():
                _keep(arguments, "cloudlet", step, phones, measured, load)
            steps = timeline.spans(done[UP.name].lines)
            title = f"up, {phones} bare phones: {done[UP.name].seconds:.1f} s"
            file = arguments.folder / f"timeline-{phones}.png"
            file.write_bytes(timeline.png(steps, title))


def _preview(arguments: argparse.Namespace) -> None:
    cluster = _cluster(arguments)
    for phones in arguments.phones:
        cluster.nowhere(phones)
        for _ in range(arguments.runs):
            load = os.getloadavg()[0]
            done = cluster.pulumi(PREVIEW)
            _tell(f"{phones} phones out of reach: {done.seconds:.1f} s, {done.peak_mb:.0f} MB")
            _keep(arguments, "cloudlet", "preview, none in reach", phones, done, load)


def _ansible(arguments: argparse.Namespace) -> None:
    cluster = _cluster(arguments)
    program = ansible.installed(arguments.folder)
    for phones in arguments.phones:
        for _ in range(arguments.runs):
            load = os.getloadavg()[0]
            cluster.bare(phones)
            ansible.forget_host_keys(cluster)
            try:
                for step in ("bare phones", "nothing to change"):
                    done = ansible.play(cluster, program, phones)
                    if step == "nothing to change" and ansible.changed(done):
                        raise RuntimeError(f"the playbook changes something twice:\n{done.output}")
                    _tell(f"{phones} phones, Ansible, {step}: {done.seconds:.1f} s")
                    _keep(arguments, "Ansible", f"up, {step}", phones, done, load)
            finally:
                cluster.gone()


def _stack(arguments: argparse.Namespace) -> None:
    cluster = _cluster(arguments)
    load = os.getloadavg()[0]
    try:
        done = many(cluster, arguments.services, arguments.runs, _tell)
    finally:
        cluster.gone()
    for step, measured in done:
        _keep(arguments, "cloudlet", step, 4, measured, load)


def _plain(arguments: argparse.Namespace) -> None:
    load = Load(
        users=arguments.users,
        climb=arguments.climb,
        hold=arguments.time,
        tags=tuple(arguments.tags.split()),
    )
    folder = new_folder("plain")
    with plain.shop(_tell) as shop:
        began = time.time()
        with locust(shop.api, load, folder) as process:
            process.wait(load.climb + load.hold + 120)
        done = judged(shop, load, folder, None, began=began, lost_earlier=0)
    for line in page.lines(done):
        _tell(line)
    _tell(f"wrote {page.write(done, folder)}")


def _services(_arguments: argparse.Namespace) -> None:
    with plain.shop(_tell):
        for name, speed in services.speeds().items():
            _tell(
                f"{name}: {speed.rate:.0f}/s over {services.CONNECTIONS} connections, "
                f"p95 {speed.p95:.0f} ms, {speed.failures} failed"
            )


def _report(arguments: argparse.Namespace) -> None:
    found = results.read(arguments.folder / "results.jsonl")
    DOCS.mkdir(parents=True, exist_ok=True)
    (DOCS / "bench.png").write_bytes(
        results.png(one for one in found if one.phones < PREVIEWED_PHONES)
    )
    for file in arguments.folder.glob("timeline-*.png"):
        (DOCS / file.name).write_bytes(file.read_bytes())
    print(results.table(found))


def _keep(
    arguments: argparse.Namespace,
    tool: str,
    step: str,
    phones: int,
    measured: Measured,
    load: float,
) -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    result = Result(
        at=f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        commit=commit.stdout.strip(),
        tool=tool,
        step=step,
        phones=phones,
        seconds=measured.seconds,
        peak_mb=measured.peak_mb,
        load=load,
    )
    results.keep(arguments.folder / "results.jsonl", result)


def _cluster(arguments: argparse.Namespace) -> Cluster:
    arguments.folder.mkdir(parents=True, exist_ok=True)
    return Cluster(name=arguments.lab, folder=arguments.folder.resolve())


def _numbers(text: str) -> list[int]:
    return [int(word) for word in text.replace(",", " ").split()]


def _tell(line: str) -> None:
    print(line, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 1 for a step that failed, 130 for Ctrl-C."""
    arguments = parser().parse_args(argv)
    return exit_code(
        lambda: arguments.do(arguments),
        RuntimeError,
        OperationError,
        stopped="stopped; what was measured is kept",
    )


if __name__ == "__main__":
    sys.exit(main())
