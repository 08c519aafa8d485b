"""Pulumi's own commands, as ``make`` runs them: same engine, same state, same passphrase."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolchain.project import missing_file

from .errors import OperationError

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True)
class PulumiStack:
    """One stack. ``config_file`` is where its configuration lies, if not in the checkout."""

    name: str
    config_file: Path | None = None

    @property
    def file(self) -> Path:
        """The lab's file: ``Pulumi.<lab>.yaml``."""
        return self.config_file or ROOT / f"Pulumi.{self.name}.yaml"

    def configuration(self) -> dict[str, dict[str, Any]]:
        """Every key with its namespace: ``value`` as the program gets it, ``secret`` or not.

        The values of secrets are in plain: never print one.

        Raises:
            OperationError: there is no such file.
        """
        if not self.file.exists():
            raise OperationError(missing_file(self.file, self.name))
        return json.loads(self._call("config", "--json", "--show-secrets", *self._from_file()))

    def set(self, path: str, value: str) -> None:
        """Writes one plain value into the lab's file, whose comments stay as they are."""
        self._call("config", "set", "--plaintext", "--path", path, value, *self._from_file())

    def set_secret(self, path: str, value: str) -> None:
        """Writes one value into the lab's file, encrypted; it travels by standard input."""
        self._call("config", "set", "--secret", "--path", path, *self._from_file(), given=value)

    def make(self) -> None:
        """Makes the stack, encrypted with the passphrase that the environment holds."""
        self._call("stack", "init", "--no-select")

    def size(self) -> int | None:
        """How many resources the stack has; None where there is no such stack."""
        listed = json.loads(self._call("stack", "ls", "--json"))
        return next(
            (one.get("resourceCount") or 0 for one in listed if one["name"] == self.name), None
        )

    def remove(self) -> None:
        """Takes the stack away, and leaves the lab's file; refused while it has resources."""
        self._call("stack", "rm", "--yes", "--preserve-config")

    def outputs(self) -> dict[str, Any]:
        """The program's outputs; empty before the first `up`, secrets hidden."""
        return json.loads(self._call("stack", "output", "--json"))

    def export(self) -> dict[str, Any]:
        """The state as it lies on the disk: secrets encrypted."""
        return json.loads(self._call("stack", "export"))

    def replace_state(self, state: dict[str, Any]) -> None:
        """Puts ``state``, an export, in the place of what Pulumi knows now."""
        self._call("stack", "import", given=json.dumps(state))

    def refresh(self) -> None:
        """Has Pulumi read everything that it knows as it is now."""
        self._call("refresh", "--yes", "--skip-preview", *self._from_file())

    def _from_file(self) -> list[str]:
        return [] if self.config_file is None else ["--config-file", str(self.config_file)]

    def _call(self, *arguments: str, given: str = "") -> str:
        command = [sys.executable, "-m", "toolchain", "pulumi", "--", *arguments]
        done = subprocess.run(
            [*command, "--stack", self.name, "--non-interactive"],
            cwd=ROOT,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise OperationError(_sentence(done.stderr) or f"pulumi {arguments[0]} failed")
        return done.stdout


def _sentence(errors: str) -> str:
    """The last thing that was said, without the name of who said it."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    if not lines:
        return ""
    for speaker in ("toolchain: ", "error: "):
        said = [line.removeprefix(speaker) for line in lines if line.startswith(speaker)]
        if said:
            return said[-1]
    return lines[-1]
