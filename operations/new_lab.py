"""A new lab: a few questions, and from the answers its file and its secrets."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import string
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from components import config

from . import asking, lab_file
from .errors import OperationError
from .lab_file import Answers
from .labs import NAMESPACE
from .pulumi_cli import ROOT, PulumiStack

PHONE_PASSWORD = "CLOUDLET_PHONE_PASSWORD"
WIFI_PASSWORD = "CLOUDLET_WIFI_PASSWORD"
PASSPHRASES = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")
# What the stacks of every new lab ask for. Nobody has to know them, so nobody has to think them up.
MADE_UP = (
    "PORTAINER_ADMIN_PASSWORD",
    "PORTAINER_AGENT_SECRET",
    "POSTGRES_PASSWORD",
    "RABBITMQ_PASSWORD",
)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,61}")
_LETTERS = string.ascii_letters + string.digits
_LENGTH = 24
# For each field of the answers, what is asked and an example.
QUESTIONS = {
    "phones": ("How many phones?", "4"),
    "address": ("Address of the first? The others get those after it.", "192.168.8.11"),
    "gateway": (
        "The router's address? Where you write none, its DHCP addresses the phones.",
        "192.168.8.1",
    ),
    "ssid": ("Name of the wifi?", "cloudlet"),
    "forget": ("Wifi networks to forget, with commas between?", "ut-public"),
    "user": ("User on the phones?", "cloudlet"),
    "key_file": ("Your SSH key?", "~/.ssh/id_ed25519"),
}


def new_lab(stack: PulumiStack, given: Mapping[str, str], tell: Callable[[str], None]) -> None:
    """Writes the lab's file and makes its stack; no phone is reached.

    ``given`` are answers by the names of :class:`Answers`' fields; what is not among them is asked
    for on a terminal, and is the default elsewhere. The two passwords and the passphrase come from
    the environment or from a terminal, never from a command line. Nothing is left if it fails.

    Raises:
        OperationError: the name is taken or is none, or an answer is wrong: one line for each.
    """
    if not _NAME.fullmatch(stack.name):
        raise OperationError(
            "say which lab, as in NAME=school: lower-case letters, digits and hyphens"
        )
    if stack.file.exists():
        raise OperationError(f"{stack.file.name} is there already; take another NAME")
    size = stack.size()
    if size:
        raise OperationError(
            f"Pulumi knows {size} resources of a lab {stack.name}, "
            f"whose {stack.file.name} is gone; bring the file back and run "
            f"`make down STACK={stack.name}`, or take another NAME"
        )
    answers = _answers(given)
    text = lab_file.text(answers, stack.name)
    known = _secrets(answers)
    _check(text, known)
    if not any(os.environ.get(name) for name in PASSPHRASES):
        os.environ[PASSPHRASES[0]] = asking.secret(
            PASSPHRASES[0], "a passphrase for the lab's secrets", twice=True
        )
    stack.file.write_text(text, encoding="utf-8")
    try:
        if size is not None:
            # Of a lab that is no more, or of a command that was killed here.
            stack.remove()
        stack.make()
        for path, value in known.items():
            stack.set_secret(NAMESPACE + path, value)
    except BaseException:
        stack.file.unlink(missing_ok=True)
        # Where it was not made, or where Ctrl-C comes twice, the next run sees what there is.
        with contextlib.suppress(OperationError):
            stack.remove()
        raise
    tell(f"wrote {stack.file.name}: {answers.phones} phones, from {answers.address} on")
    tell("The passwords of Portainer, the database and the broker were made up and are in it.")
    if not Path(answers.key_file).expanduser().exists():
        tell(f"There is no {answers.key_file} yet: ssh-keygen -t ed25519 -f {answers.key_file}")
    tell(
        f"Keep the passphrase, and let {PASSPHRASES[0]} hold it. Then each phone on the cable, "
        f"`make adopt STACK={stack.name} PHONE=phone-1`, and `make up STACK={stack.name}`"
    )


def _answers(given: Mapping[str, str]) -> Answers:
    answers = Answers()
    for field, (question, _) in QUESTIONS.items():
        default = getattr(answers, field)
        shown = ", ".join(default) if field == "forget" else str(default)
        if field in given:
            answers = _with(answers, field, given[field])
        else:
            answers = asking.again(
                lambda asked=question, shown=shown: asking.answer(asked, shown),
                partial(_with, answers, field),
            )
    return answers


def _with(answers: Answers, field: str, said: str) -> Answers:
    said = "" if said.strip().lower() == "none" else said.strip()
    result = replace(answers, **{field: _value(field, said)})
    lab_file.addresses(result)
    return result


def _value(field: str, said: str) -> Any:
    match field:
        case "phones":
            if not re.fullmatch(r"[0-9]{1,3}", said):
                raise OperationError(f"{said!r} is no number of phones; write one like 4")
            return int(said)
        case "forget":
            return tuple(name.strip() for name in said.split(",") if name.strip())
        case _:
            return said


def _secrets(answers: Answers) -> dict[str, str]:
    """Every secret by its path in the configuration, in plain."""
    made_up = {
        f"secrets.{name}": "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
        for name in MADE_UP
    }
    return {
        "password": asking.secret(PHONE_PASSWORD, f"the password of {answers.user} on the phones"),
        "wifiPassword": asking.secret(WIFI_PASSWORD, f"the password of the wifi {answers.ssid}"),
        **made_up,
    }


def _check(text: str, known: Mapping[str, str]) -> None:
    written: dict[str, Any] = {
        key.removeprefix(NAMESPACE): value for key, value in yaml.safe_load(text)["config"].items()
    }
    for path, value in known.items():
        key, _, name = path.partition(".")
        if name:
            written.setdefault(key, {})[name] = value
        else:
            written[key] = value
    values = {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in written.items()
    }
    try:
        config.load(values, root=ROOT)
    except config.ConfigError as error:
        raise OperationError(str(error)) from None
