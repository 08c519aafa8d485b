"""The recipes of docs/operations.md, read as a person reads them and run on a simulated lab."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from labkit import LOOPBACK, NAME, ROOT, SECONDS, Lab

from lab.names import Lab as LabNames

PAGE = ROOT / "docs" / "operations.md"
README = ROOT / "README.md"
PHONES_PAGE = ROOT / "docs" / "phones.md"
README_COMMANDS = "Other commands"
FIRST_CONTACT = "First contact"
# Before any title: what brings a lab and takes it away.
OPENING = "Before any heading"
_STEP = re.compile(
    r"^<!-- the lab: (?P<hands>.*?) -->$|^<!-- (?P<quick>quick) -->$"
    r"|^<!-- not run: (?P<reason>.*?) -->$"
    r"|^```(?P<kind>\w+)\n(?P<text>.*?)^```$|^## (?P<title>[^\n]*)$",
    re.MULTILINE | re.DOTALL,
)
# How the page writes the phones' addresses.
_NETWORK = "192.168.8.1"


@dataclass(frozen=True, kw_only=True)
class Step:
    """What is done: a shell script, a change of a file, or by a person's hands.

    ``before`` and ``after`` are what the change says of the file; of the lab's, under ``config``.
    """

    kind: Literal["sh", "diff", "hands"]
    text: str
    quick: bool

    @property
    def compose_file(self) -> str:
        """The compose file that a change is of, named in its first line; empty for the lab's."""
        named = re.match(r" # (\S+\.yml)\n", self.text)
        return named[1] if named and self.kind == "diff" else ""

    @property
    def before(self) -> dict[str, Any]:
        return self._side("-")

    @property
    def after(self) -> dict[str, Any]:
        return self._side("+")

    def _side(self, sign: str) -> dict[str, Any]:
        lines = (line for line in self.text.splitlines() if line[:1] in (sign, " "))
        return yaml.safe_load("\n".join(line[1:] for line in lines)) or {}


def recipes(page: str) -> dict[str, list[Step]]:
    """The steps of each recipe by its title, in the order of the page; without those not run.

    Raises:
        ValueError: a block is of a kind that nobody runs.
    """
    found: dict[str, list[Step]] = {}
    title, quick, kept_out = OPENING, False, False
    for match in _STEP.finditer(page):
        if match["title"]:
            title = match["title"]
        elif match["quick"]:
            quick = True
        elif match["reason"]:
            kept_out = True
        elif kept_out or match["kind"] == "text":
            kept_out = False
        else:
            kind = "hands" if match["hands"] else match["kind"]
            if kind not in ("sh", "diff", "hands"):
                raise ValueError(f"{title}: nobody runs a block of {kind}")
            text = match["hands"] or match["text"]
            found.setdefault(title, []).append(Step(kind=kind, text=text, quick=quick))
            quick = False
    return found


def changed(config: Mapping[str, Any], step: Step) -> dict[str, Any]:
    """``config`` with what the step removes, changes and adds, and all else as it was."""
    return _replaced(config, step.before, step.after)


def _replaced(value: Any, before: Any, after: Any) -> Any:
    if after is None and isinstance(before, dict):
        after = {}  # all that was named of the map goes
    if not isinstance(after, dict) or not isinstance(value, dict | None):
        return after
    result = dict(value or {})
    before = before if isinstance(before, dict) else {}
    for key in before.keys() - after.keys():
        del result[key]
    for key, now in after.items():
        result[key] = _replaced(result.get(key), before.get(key), now)
    return result


@dataclass(frozen=True, kw_only=True)
class Runner:
    """Runs steps on ``lab``, whose file for the stack ``stack`` is ``file``.

    ``environment`` is what a shell is given beside the lab's.
    """

    lab: Lab
    stack: str
    file: Path
    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    def run(self, step: Step) -> None:
        """Raises AssertionError with everything that was printed, if it fails."""
        match step.kind:
            case "hands":
                self.lab.lab(*shlex.split(step.text)).ok()
            case "diff":
                written = yaml.safe_load(self.file.read_text())
                if step.compose_file:
                    self._change_compose_file(written["config"]["cloudlet:stacks"], step)
                else:
                    written["config"] = _simulated(changed(written["config"], step))
                self.file.write_text(yaml.safe_dump(written, sort_keys=False))
            case "sh":
                self._shell(step.text)

    def copy_of(self, compose_file: str) -> Path:
        """What is changed in place of a compose file of the checkout, beside it."""
        path = ROOT / compose_file
        return path.with_name(f"{self.stack}-{path.name}")

    def _change_compose_file(self, stacks: dict[str, Any], step: Step) -> None:
        copy = self.copy_of(step.compose_file)
        before = copy if copy.exists() else ROOT / step.compose_file
        document = changed(yaml.safe_load(before.read_text()), step)
        copy.write_text(yaml.safe_dump(document, sort_keys=False))
        for stack in stacks.values():
            if stack["file"] == step.compose_file:
                stack["file"] = str(copy.relative_to(ROOT))

    def _shell(self, text: str) -> None:
        # Each simulated phone has its cable at a port of its own; this lab has its own loopback.
        script = text.replace("127.0.0.1", LOOPBACK).replace("school", self.stack)
        script = re.sub(r"(make adopt PHONE=phone-(\d))", rf"USB={LOOPBACK}:220\2 \1", script)
        # A person ends it by Ctrl-C.
        script = re.sub(
            r"(make (?:logs \S+|load-ui))", r"{ timeout -s INT 10 \1 || [ $? = 124 ]; }", script
        )
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f'eval "$(make -s env)"\n{script}'],
            cwd=ROOT,
            env=self.lab.environment
            | {"STACK": self.stack, "YES": "1", "PULUMI_OPTION_CONFIG_FILE": str(self.file)}
            | dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}"


def _simulated(config: dict[str, Any]) -> dict[str, Any]:
    """The page's addresses are made those of the simulated phones."""
    names = LabNames(name=NAME)
    for phone in config["cloudlet:phones"].values():
        if phone["address"].startswith(_NETWORK):
            simulated = names.phone(int(phone["address"].removeprefix(_NETWORK)))
            phone["address"] = simulated.address
            phone["ssh"] = {"host": LOOPBACK, "port": simulated.ssh_port}
    return config


def opening() -> list[Step]:
    """The README's two commands, each by itself."""
    before = recipes(README.read_text(encoding="utf-8"))[OPENING]
    (block,) = (step for step in before if not step.quick)
    return [Step(kind="sh", text=line, quick=False) for line in block.text.splitlines()]


def first_contact() -> list[Step]:
    """From blank phones to a lab, as the page about real phones has it."""
    return recipes(PHONES_PAGE.read_text(encoding="utf-8"))[FIRST_CONTACT]


def parameters(*, quick: bool) -> list[Any]:
    """Every recipe's title and steps for a test of each.

    With ``quick`` it is the steps that are. Otherwise the README's commands for a running lab are
    there too; those that are quick name the dev lab, and its others make and end one.
    """
    readme = recipes(README.read_text(encoding="utf-8"))
    page = recipes(PAGE.read_text(encoding="utf-8"))
    if quick:
        both = [*page.items(), *readme.items()]
        chosen = [(title, [step for step in steps if step.quick]) for title, steps in both]
    else:
        others = [step for step in readme[README_COMMANDS] if not step.quick]
        chosen = list(page.items())
        # They name the fifth phone.
        chosen.insert(list(page).index("Add a phone") + 1, (README_COMMANDS, others))
    return [pytest.param(title, steps, id=title) for title, steps in chosen if steps]
