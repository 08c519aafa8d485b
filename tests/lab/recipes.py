"""The recipes of docs/operations.md, read as a person reads them and run on a simulated lab."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from labkit import LOOPBACK, NAME, ROOT, SECONDS, Lab

from lab.names import Lab as LabNames

PAGE = ROOT / "docs" / "operations.md"
README = ROOT / "README.md"
README_COMMANDS = "Other commands"
_STEP = re.compile(
    r"^<!-- the lab: (?P<hands>.*?) -->$|^<!-- (?P<quick>quick) -->$"
    r"|^```(?P<kind>\w+)\n(?P<text>.*?)^```$|^## (?P<title>[^\n]*)$",
    re.MULTILINE | re.DOTALL,
)
# How the page writes the phones' addresses.
_NETWORK = "192.168.8.1"


@dataclass(frozen=True, kw_only=True)
class Step:
    """What is done: a shell script, a change of the lab's file, or by a person's hands.

    ``before`` and ``after`` are what the change says of the file, under ``config``.
    """

    kind: Literal["sh", "diff", "hands"]
    text: str
    quick: bool

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
    """The steps of each recipe by its title, in the order of the page.

    Raises:
        ValueError: a block is of a kind that nobody runs.
    """
    found: dict[str, list[Step]] = {}
    title, quick = "Before any heading", False
    for match in _STEP.finditer(page):
        if match["title"]:
            title = match["title"]
        elif match["quick"]:
            quick = True
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
    """Runs steps on ``lab``, whose file for the stack ``stack`` is ``file``."""

    lab: Lab
    stack: str
    file: Path

    def run(self, step: Step) -> None:
        """Raises AssertionError with everything that was printed, if it fails."""
        match step.kind:
            case "hands":
                self.lab.lab(*shlex.split(step.text)).ok()
            case "diff":
                written = yaml.safe_load(self.file.read_text())
                written["config"] = _simulated(changed(written["config"], step))
                self.file.write_text(yaml.safe_dump(written, sort_keys=False))
            case "sh":
                self._shell(step.text)

    def _shell(self, text: str) -> None:
        # Each simulated phone has its cable at a port of its own; this lab has its own loopback.
        script = text.replace("127.0.0.1", LOOPBACK)
        script = re.sub(r"(make adopt PHONE=phone-(\d))", rf"USB={LOOPBACK}:220\2 \1", script)
        # A person ends it by Ctrl-C.
        script = re.sub(r"(make logs \S+)", r"{ timeout -s INT 5 \1 || [ $? = 124 ]; }", script)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f'eval "$(make -s env)"\n{script}'],
            cwd=ROOT,
            env=self.lab.environment
            | {"STACK": self.stack, "YES": "1", "PULUMI_OPTION_CONFIG_FILE": str(self.file)},
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
