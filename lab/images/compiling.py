"""Static Linux programs out of the lab's Go modules, the same bytes on every machine."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from lab.errors import LabError
from lab.system import STATE, System

_FLAGS = ("-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=")


def go_binary(system: System) -> str:
    """Go's command: on PATH, or the one that the checkout has made itself."""
    own = STATE / "go" / "bin" / "go"
    found = system.which("go") or (str(own) if own.is_file() else None)
    if found is None:
        raise LabError(
            "the lab's coffee services are built with Go, and there is no command `go`: run "
            "`make up`, which gets it, or install Go 1.25 or newer"
        )
    return found


def compile_module(folder: Path, architecture: str, system: System) -> bytes:
    """The program of a module's root package for linux on Docker's architecture."""
    with tempfile.TemporaryDirectory(prefix="cloudlet-go-") as scratch:
        program = Path(scratch) / "program"
        settings = [f"{key}={value}" for key, value in environment(architecture).items()]
        go = [go_binary(system), "-C", str(folder), "build", *_FLAGS, f"-o={program}", "."]
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
