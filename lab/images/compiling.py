"""Static Linux programs out of the lab's Go modules, the same bytes on every machine."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from lab.errors import LabError
from lab.system import CHECKOUT, STATE, System
from toolchain.errors import ToolchainError
from toolchain.golang import compiler
from toolchain.layout import Layout

_FLAGS = ("-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=")


def go_command() -> str:
    """Go as the toolchain finds it: on PATH if it is new enough, else fetched into the checkout."""
    try:
        return str(compiler(Layout(root=CHECKOUT), os.environ))
    except ToolchainError as error:
        raise LabError(
            f"the lab's images are built with Go, and it is not to be had: {error}"
        ) from None


def compile_module(folder: Path, architecture: str, system: System) -> bytes:
    """The program of a module's root package for linux on Docker's architecture."""
    with tempfile.TemporaryDirectory(prefix="cloudlet-go-") as scratch:
        program = Path(scratch) / "program"
        settings = [f"{key}={value}" for key, value in environment(architecture).items()]
        go = [go_command(), "-C", str(folder), "build", *_FLAGS, f"-o={program}", "."]
        done = system.run(["env", *settings, *go])
        if not done.ok:
            raise LabError(f"the Go program in {folder.name} could not be built: {done.last_line}")
        return program.read_bytes()


def environment(architecture: str) -> dict[str, str]:
    """What Go needs to know; its caches are in the checkout unless the user has put them."""
    cache = STATE / "cache"
    return {
        "CGO_ENABLED": "0",
        "GOOS": "linux",
        "GOARCH": architecture,
        "GOARM": "7",
        # A module cache that `rm -rf` can remove, like everything else in .cloudlet.
        "GOFLAGS": f"{os.environ.get('GOFLAGS', '')} -modcacherw -mod=readonly".strip(),
        "GOMODCACHE": os.environ.get("GOMODCACHE", str(cache / "go-mod")),
        "GOCACHE": os.environ.get("GOCACHE", str(cache / "go-build")),
    }
