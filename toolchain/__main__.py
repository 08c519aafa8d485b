"""Pulumi for this checkout: ``python -m toolchain ensure | env | go | pulumi -- ...``."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence

from . import ensure, golang, run
from .ending import exit_code
from .environment import difference
from .errors import ToolchainError
from .layout import checkout
from .project import DEFAULT_STACK


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m toolchain", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("ensure", help="make Pulumi and its plugins available")
    env = commands.add_parser("env", help="print the shell lines by which pulumi works by hand")
    env.add_argument("--stack", default=DEFAULT_STACK, help="which lab (default: dev)")
    commands.add_parser("go", help="print a Go compiler that is new enough; install it if needed")
    pulumi = commands.add_parser("pulumi", help="run pulumi, going on after an interrupted run")
    pulumi.add_argument("arguments", nargs=argparse.REMAINDER, metavar="-- ARGUMENTS")
    chosen = parser.parse_args(arguments)
    return exit_code(lambda: _run(chosen), ToolchainError, prefix="toolchain: ")


def _run(chosen: argparse.Namespace) -> None:
    layout = checkout()
    if chosen.command == "ensure":
        ensure.ensure(layout)
    elif chosen.command == "go":
        print(golang.compiler(layout, os.environ))
    elif chosen.command == "env":
        for name, value in difference(layout, os.environ, stack=chosen.stack).items():
            print(f"export {name}={shlex.quote(value)}")
    else:
        rest = chosen.arguments
        run.pulumi(layout, rest[1:] if rest[:1] == ["--"] else rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
