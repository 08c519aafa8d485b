"""The text of a new lab's file, Pulumi.<lab>.yaml; pure.

``python -m operations.lab_file`` writes Pulumi.lab.yaml, the one that people look at and copy.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import yaml

from .errors import OperationError

FILE = Path(__file__).resolve().parent.parent / "Pulumi.lab.yaml"
# A majority of three bears the loss of one; with fewer phones only a single manager makes sense.
_MANAGERS = 3
_EXAMPLE = """\
# A lab of four phones on a wifi of their own, ready to copy. `make new-lab NAME=<lab>` asks a few
# questions and writes such a file with your answers in it, and with its secrets."""
_NEW = """\
# The lab {name}. Its secrets are encrypted with a passphrase of its own, which is in no file:
# PULUMI_CONFIG_PASSPHRASE must hold it."""
_SECRETS = """\
  # What is secret is missing here, and `make preview STACK=<lab>` names it; each is set as in
  #   pulumi config set --stack <lab> --secret wifiPassword
  #   pulumi config set --stack <lab> --secret --path secrets.POSTGRES_PASSWORD
"""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a lab's file can't do without.

    ``address`` is the first phone's, the others have those after it. With a ``gateway``, the access
    point's address, phones keep their addresses for good; without one its DHCP gives them.
    """

    phones: int = 4
    address: str = "192.168.8.11"
    gateway: str = "192.168.8.1"
    ssid: str = "cloudlet"
    forget: tuple[str, ...] = ()
    user: str = "cloudlet"
    key_file: str = "~/.ssh/id_ed25519"


# The phones that this project began with.
EXAMPLE = Answers(forget=("ut-public",))


def text(answers: Answers, name: str = "") -> str:
    """The whole file, without secrets; without a ``name`` the one to copy.

    Raises:
        OperationError: there are no such addresses.
    """
    lines = ["# yaml-language-server: $schema=docs/Pulumi.schema.json"]
    lines += [_NEW.format(name=name) if name else _EXAMPLE, "config:", "  cloudlet:phones:"]
    managers = _MANAGERS if answers.phones >= _MANAGERS else 1
    for number, address in enumerate(addresses(answers), 1):
        entry = f"address: {address}, role: {'manager' if number <= managers else 'worker'}"
        if number == answers.phones:
            lines.append("    # The database's volume stays on the phone with this label.")
            entry += ', labels: {storage: "true"}'
        lines.append(f"    phone-{number}: {{{entry}}}")
    login = f"user: {_quoted(answers.user)}, privateKeyFile: {_quoted(answers.key_file)}"
    wifi = f"ssid: {_quoted(answers.ssid)}"
    if answers.forget:
        wifi += f", forget: [{', '.join(map(_quoted, answers.forget))}]"
    if answers.gateway:
        lines_of_wifi = ["  # static: each phone keeps its address for good; this is the router's."]
        wifi += f", static: {{gateway: {_quoted(answers.gateway)}}}"
    else:
        lines_of_wifi = ["  # The router must reserve each phone's address."]
    lines += [
        f"  cloudlet:ssh: {{{login}}}",
        *lines_of_wifi,
        f"  cloudlet:wifi: {{{wifi}}}",
        "  cloudlet:stacks:",
        "    portainer: {file: stacks/portainer.yml}",
        "    go_coffee: {file: stacks/go_coffee.yml}",
        "  # With a registry on a phone, stacks may say build:, and an image of Docker Hub comes",
        "  # through the uplink once for all phones.",
        "  # cloudlet:registry: {phone: phone-1}",
        "  # mesh: every phone answers at every published port. A kernel without ip_vs needs host,",
        "  # where the first manager alone does.",
        "  cloudlet:routing: mesh",
    ]
    return "\n".join(lines) + "\n" + ("" if name else _SECRETS)


def addresses(answers: Answers) -> list[IPv4Address]:
    """Those of its phones, one after the other.

    Raises:
        OperationError: there are none.
    """
    if answers.phones < 1:
        raise OperationError(f"{answers.phones} phones are no lab")
    try:
        first = IPv4Address(answers.address)
        return [first + number for number in range(answers.phones)]
    except ValueError:
        raise OperationError(
            f"{answers.address!r} is no address for the first of {answers.phones} phones; "
            "write one like 192.168.8.11"
        ) from None


def _quoted(value: str) -> str:
    """The value as YAML reads it back, plain where that is safe."""
    plain = re.fullmatch(r"[\w~/][\w./~-]*", value) and yaml.safe_load(value) == value
    return value if plain else json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    FILE.write_text(text(EXAMPLE), encoding="utf-8")
