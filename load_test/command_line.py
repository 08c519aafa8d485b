"""The shop under load: ``python -m load_test --stack dev COMMAND``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from components.remote.ssh import PhoneError
from load_test import drill, page
from load_test.run import LOCUSTFILE, Load, new_folder, run
from load_test.shop import open_shop
from operations.errors import OperationError
from operations.labs import open_lab
from operations.pulumi_cli import PulumiStack
from toolchain.ending import exit_code

TAGS = ("menu", "orders", "list")


def parser() -> argparse.ArgumentParser:
    """The command line's words."""
    made = argparse.ArgumentParser(prog="python -m load_test", description=__doc__)
    made.add_argument("--stack", default="dev", help="which lab (default: dev)")
    made.add_argument("--config-file", type=Path, help="the lab's file, if not the usual one")
    commands = made.add_subparsers(required=True, metavar="COMMAND")
    one = commands.add_parser("run", help="climb to so many users, stay there, count the orders")
    one.set_defaults(do=_run)
    one.add_argument("--users", type=_positive, default=300)
    one.add_argument("--climb", type=_seconds, default=60.0, help="seconds until all are there")
    one.add_argument("--time", type=_seconds, default=180.0, help="seconds after that")
    one.add_argument(
        "--tags",
        type=_tags,
        default=(),
        help=f"of {', '.join(TAGS)}; all of them where nothing is given",
    )
    one.add_argument("--folder", type=Path, help="where record and report go")
    one = commands.add_parser("drill", help="phones lost and images updated, under load")
    one.set_defaults(do=_drill)
    one.add_argument("--users", type=_positive, default=50)
    one.add_argument("--tags", type=_tags, default=("menu", "orders"))
    one.add_argument("--folder", type=Path, help="where records and reports go")
    one.add_argument("--lab", metavar="NAME", help="its phones are those of this simulated lab")
    one = commands.add_parser("ui", help="locust's web page, at the lab's shop")
    one.set_defaults(do=_ui)
    return made


def _run(stack: PulumiStack, arguments: argparse.Namespace) -> int:
    load = Load(
        users=arguments.users, climb=arguments.climb, hold=arguments.time, tags=arguments.tags
    )
    if not load.climb + load.hold:
        raise OperationError("--climb and --time are both 0: say how long, in seconds")
    folder = arguments.folder or new_folder("load")
    done = run(open_lab(stack), load, folder, _tell)
    for line in page.lines(done):
        _tell(line)
    _tell(f"wrote {page.write(done, folder)}")
    return 0 if done.account.whole else 1


def _drill(stack: PulumiStack, arguments: argparse.Namespace) -> int:
    load = Load(users=arguments.users, climb=5.0, hold=0.0, tags=arguments.tags)
    folder = arguments.folder or new_folder("drill")
    rows = drill.drill(open_lab(stack), load, folder, arguments.lab, _tell)
    _tell(f"\n{drill.shown(rows)}")
    (folder / "drill.md").write_text(drill.markdown(rows), encoding="utf-8")
    _tell(f"\nwrote {folder}: a report for each line, and drill.md")
    return 0 if all(row.account.whole for row in rows) else 1


def _ui(stack: PulumiStack, _arguments: argparse.Namespace) -> int:
    shop = open_shop(open_lab(stack))
    command = [sys.executable, "-m", "locust", "--locustfile", str(LOCUSTFILE), "--host", shop.api]
    os.execv(sys.executable, [*command, "--web-host", "127.0.0.1"])  # noqa: S606  no shell


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of users; write one like 300")
    return int(text)


def _seconds(text: str) -> float:
    try:
        number = float(text.removesuffix("s"))
    except ValueError:
        number = -1.0
    if not 0 <= number <= 3600:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time up to an hour; write seconds, as in 180"
        )
    return number


def _tags(text: str) -> tuple[str, ...]:
    tags = tuple(text.replace(",", " ").split())
    unknown = [tag for tag in tags if tag not in TAGS]
    if unknown:
        raise argparse.ArgumentTypeError(f"no such tag: {unknown[0]}; there are {', '.join(TAGS)}")
    return tags


def _tell(line: str) -> None:
    print(line, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 1 for a failure that was told or something lost, 130 for Ctrl-C."""

    def run() -> int:
        arguments = parser().parse_args(argv)
        return arguments.do(
            PulumiStack(name=arguments.stack, config_file=arguments.config_file), arguments
        )

    return exit_code(run, OperationError, PhoneError, stopped="stopped")
