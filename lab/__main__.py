"""python -m lab: simulated phones on this machine."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from lab import configuration, field, kinds, status
from lab.engine import Engine
from lab.errors import LabError
from lab.lifecycle import Lifecycle
from lab.names import Lab
from lab.system import STATE
from toolchain.ending import exit_code
from toolchain.turns import only_one

PHONES = 4


def parser() -> argparse.ArgumentParser:
    """The command line's words."""
    made = argparse.ArgumentParser(prog="lab", description="Simulated phones on this machine.")
    made.add_argument("--name", default="dev", help="which lab (default: dev)")
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="N phones run, and a registry that holds their images")
    up.add_argument("count", type=int, nargs="?", default=PHONES, metavar="N")
    up.add_argument(
        "--kind",
        action="append",
        default=[],
        metavar="PHONE=WORDS",
        help=f"such as phone-2=doas,firewall; words: {', '.join(kinds.WORDS)}",
    )
    down = commands.add_parser("down", help="the lab is gone, with its containers and images")
    down.add_argument("--keep-images", action="store_true", help="leave the lab's images in Docker")
    commands.add_parser("status", help="a table of the phones")
    for command, text in (
        ("stop", "switch a phone off"),
        ("start", "switch a phone on"),
        ("reboot", "restart a phone, as `reboot` on it does"),
        ("replace", "put a blank machine in a phone's place"),
        ("clock", "set how wrong a phone's clock is"),
        ("wifi", "switch a phone's radio on or off"),
        ("air", "make a wifi network appear around a phone, or vanish"),
    ):
        one = commands.add_parser(command, help=text)
        one.add_argument("phone", metavar="PHONE", help="such as phone-2")
        if command == "replace":
            one.add_argument("--kind", metavar="WORDS", help="another kind than the old one's")
        elif command == "clock":
            one.add_argument("seconds", type=int, metavar="SECONDS", help="such as -7200, or 0")
        elif command == "wifi":
            one.add_argument("state", choices=("on", "off"))
        elif command == "air":
            one.add_argument("action", choices=("add", "remove"))
            one.add_argument("ssid", metavar="SSID", help="one that is there is replaced by `add`")
            one.add_argument("--password", help="without one the network is open")
            one.add_argument("--no-route", action="store_true", help="it leads nowhere")
            one.add_argument("--signal", type=int, default=70, metavar="PERCENT")
    config = commands.add_parser("config", help="the Pulumi configuration that fits the lab")
    config.add_argument("count", type=int, nargs="?", default=PHONES, metavar="N")
    return made


def log(line: str) -> None:
    """Tell a person what goes on, at once."""
    # One write, as images are built at the same time.
    sys.stdout.write(f"lab: {line}\n")
    sys.stdout.flush()


def run(arguments: argparse.Namespace) -> None:
    """Do what the command line says; raises LabError."""
    lab = Lab(name=arguments.name)
    if arguments.command == "config":
        print(configuration.block(lab, arguments.count), end="")
        return
    engine = Engine(log=log)
    if arguments.command == "status":
        docker = engine.find()
        print("no Docker engine runs" if docker is None else status.table(docker, lab))
        return
    lifecycle = Lifecycle(lab=lab, engine=engine, log=log)
    with alone():
        match arguments.command:
            case "up":
                lifecycle.up(arguments.count, kinds.parse_all(arguments.kind))
            case "down":
                lifecycle.down(keep_images=arguments.keep_images)
            case "replace":
                kind = None if arguments.kind is None else kinds.parse(arguments.kind)
                lifecycle.replace(arguments.phone, kind)
            case "stop" | "start" | "reboot":
                getattr(lifecycle, arguments.command)(arguments.phone)
            case _:
                in_the_field(lifecycle, arguments)


def in_the_field(lifecycle: Lifecycle, arguments: argparse.Namespace) -> None:
    """What happens to a phone that runs; raises LabError."""
    docker, phone = lifecycle.existing(arguments.phone, running=True)
    if arguments.command == "clock":
        field.set_clock(docker, phone.container, arguments.seconds)
    elif arguments.command == "wifi":
        field.switch_wifi(docker, phone.container, on=arguments.state == "on")
    elif arguments.action == "remove":
        field.remove_network(docker, phone.container, arguments.ssid)
    else:
        network = field.Network(
            ssid=arguments.ssid,
            password=arguments.password,
            route=not arguments.no_route,
            signal=arguments.signal,
        )
        field.add_network(docker, phone.container, network)


def alone() -> AbstractContextManager[None]:
    """Commands that change a lab wait for each other: images and engine are shared by all labs."""
    return only_one(STATE / "lab.lock", lambda: log("waiting for another lab command to end"))


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 1 for a mistake that was told, 130 for Ctrl-C."""
    return ended(lambda: run(parser().parse_args(argv)))


def ended(act: Callable[[], None]) -> int:
    """The exit code of a command that may raise LabError."""
    return exit_code(
        act, LabError, stopped="stopped; the same command goes on from here", prefix="lab: "
    )


if __name__ == "__main__":
    sys.exit(main())
