"""What a person does to a lab: ``python -m operations --stack dev COMMAND``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from components.ssh import PhoneError

from . import status
from .errors import OperationError
from .labs import open_lab
from .pulumi_cli import PulumiStack


def parser() -> argparse.ArgumentParser:
    """The command line's words; each command's function is in ``do``."""
    made = argparse.ArgumentParser(prog="python -m operations", description=__doc__)
    made.add_argument("--stack", default="dev", help="which lab (default: dev)")
    made.add_argument("--config-file", type=Path, help="the lab's file, if not the usual one")
    commands = made.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, text: str, do: Callable[[PulumiStack, argparse.Namespace], None]
    ) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=text)
        one.set_defaults(do=do)
        return one

    command("status", "every phone as it is now", _status)
    return made


def _status(stack: PulumiStack, _arguments: argparse.Namespace) -> None:
    print(status.report(open_lab(stack)))


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 1 for a failure that was told, 130 for Ctrl-C."""
    try:
        arguments = parser().parse_args(argv)
        arguments.do(
            PulumiStack(name=arguments.stack, config_file=arguments.config_file), arguments
        )
    except (OperationError, PhoneError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command can be run again", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
