"""What a person does to a lab: ``python -m operations --stack dev COMMAND``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from components.remote.ssh import PhoneError
from toolchain.ending import exit_code

from . import (
    adopt,
    backup,
    lock,
    logs,
    new_lab,
    page_file,
    reboot,
    recover,
    restore,
    ssh_command,
    status,
)
from .errors import OperationError
from .labs import configured, open_lab
from .pulumi_cli import PulumiStack


def parser() -> argparse.ArgumentParser:
    """The command line's words; each command's function is in ``do``."""
    made = argparse.ArgumentParser(prog="python -m operations", description=__doc__)
    made.add_argument("--stack", default="dev", type=_stack, help="which lab (default: dev)")
    made.add_argument(
        "--config-file",
        type=Path,
        # Where Pulumi itself takes it from, if it is set.
        default=os.environ.get("PULUMI_OPTION_CONFIG_FILE"),
        help="the lab's file, if not the usual one",
    )
    commands = made.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str,
        text: str,
        do: Callable[[PulumiStack, argparse.Namespace], int | None],
        *,
        phone: bool = False,
    ) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=text)
        one.set_defaults(do=do)
        if phone:
            one.add_argument("phone", metavar="PHONE", type=_phone, help="such as phone-2")
        return one

    one = command("status", "every phone as it is now", _status)
    one.add_argument("--html", type=Path, metavar="FILE", help="write it as a page, too")
    command("drill-reboot", "reboot a phone; it must be back by itself", _drill_reboot, phone=True)
    command("lock", "write down which build of each image the stacks' tags mean", _lock)
    command("recover", "let one manager go on alone", _recover, phone=True).add_argument(
        "--yes", action="store_true", help="do not ask"
    )
    one = command("backup", "the lab in one encrypted file", _backup)
    one.add_argument("--file", type=Path, help="where to; a new one in backups/ if not given")
    one.add_argument("--yes", action="store_true", help="do not ask")
    one = command("restore", "bring the lab back from a backup", _restore)
    one.add_argument("file", type=_file, metavar="FILE", help="what backup wrote")
    one.add_argument("--yes", action="store_true", help="do not ask")
    one = command("adopt", "first contact over the USB cable", _adopt, phone=True)
    one.add_argument("--cable", default=adopt.CABLE, help="the phone's address on the cable")
    one.add_argument("--yes", action="store_true", help="do not ask")
    one = command("new-lab", "ask a few questions and write a lab's file", _new_lab)
    one.add_argument("name", metavar="NAME", help="such as school")
    for field, (_, example) in new_lab.QUESTIONS.items():
        one.add_argument(f"--{field.replace('_', '-')}", metavar="ANSWER", help=example)
    command("shell", "a shell on a phone, or a command there", _shell, phone=True).add_argument(
        "command", nargs="*", metavar="-- COMMAND", help="what to run there instead of a shell"
    )
    one = command("logs", "follow the log of a service", _logs)
    one.add_argument("service", metavar="SERVICE", type=_service, help="such as go_coffee_web")
    return made


def _status(stack: PulumiStack, arguments: argparse.Namespace) -> None:
    lab = open_lab(stack)
    sight = status.look(list(lab.hosts.values()), lab.managers)
    print(status.report(lab, sight))
    if arguments.html is not None:
        page_file.write(arguments.html, lab, sight)
        _tell(f"wrote {arguments.html}")


def _drill_reboot(stack: PulumiStack, arguments: argparse.Namespace) -> None:
    took = reboot.drill(open_lab(stack), arguments.phone, _tell)
    print(f"{arguments.phone} was back in the swarm {took:.0f} s after its reboot")


def _lock(stack: PulumiStack, _arguments: argparse.Namespace) -> None:
    lock.lock(stack, configured(stack), _tell)


def _recover(stack: PulumiStack, arguments: argparse.Namespace) -> None:
    recover.recover(open_lab(stack), arguments.phone, _tell, yes=arguments.yes)


def _backup(stack: PulumiStack, arguments: argparse.Namespace) -> None:
    print(f"wrote {backup.back_up(open_lab(stack), arguments.file, _tell, yes=arguments.yes)}")


def _restore(stack: PulumiStack, arguments: argparse.Namespace) -> None:
    restore.restore(stack, arguments.file, _tell, yes=arguments.yes)


def _adopt(stack: PulumiStack, arguments: argparse.Namespace) -> None:
    adopt.adopt(stack, arguments.phone, arguments.cable, _tell, yes=arguments.yes)


def _new_lab(_stack: PulumiStack, arguments: argparse.Namespace) -> None:
    said = {field: getattr(arguments, field) for field in new_lab.QUESTIONS}
    given = {field: answer for field, answer in said.items() if answer is not None}
    new_lab.new_lab(PulumiStack(name=arguments.name), given, _tell)


def _shell(stack: PulumiStack, arguments: argparse.Namespace) -> None:
    host = open_lab(stack).host(arguments.phone)
    ssh_command.become(host, arguments.command, terminal=sys.stdin.isatty())


def _logs(stack: PulumiStack, arguments: argparse.Namespace) -> int:
    return logs.follow(open_lab(stack), arguments.service)


def _service(name: str) -> str:
    if not name:
        raise OperationError("say which service, as in SERVICE=go_coffee_web")
    return name


def _file(name: str) -> Path:
    if not name:
        raise OperationError(
            "say which file, as in FILE=backups/dev-2026-11-23T09-00-00Z.tar.gz.age; "
            "`make backup` wrote it"
        )
    return Path(name)


def _phone(name: str) -> str:
    if not name:
        raise OperationError("say which phone, as in PHONE=phone-2")
    return name


def _stack(name: str) -> str:
    if not name:
        raise OperationError("--stack names no lab; give the name of a Pulumi.<lab>.yaml")
    return name


def _tell(line: str) -> None:
    print(line, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 1 for a failure that was told, 130 for Ctrl-C, else the command's own."""

    def run() -> int | None:
        arguments = parser().parse_args(argv)
        return arguments.do(
            PulumiStack(name=arguments.stack, config_file=arguments.config_file), arguments
        )

    return exit_code(
        run, OperationError, PhoneError, stopped="stopped; the same command can be run again"
    )
