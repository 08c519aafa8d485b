"""Builds the `pulumi` command line from its Go module."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from .errors import ToolchainError
from .golang import compiler
from .layout import Layout
from .progress import Progress, say, shown
from .versions import WANTED

_PACKAGE: Final = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
_VERSION: Final = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
# disable_grpc_modules leaves out what Google's storage client needs in Google's own data centres
# alone: a hundred packages.
_TAGS: Final = "osusergo,grpcnotrace,disable_grpc_modules"
# Compiling is most of the wait. Of what only talks to clouds, colours text or reads other languages
# nothing is inlined, which halves its time; a debugger's tables would not be linked anyway.
_OPTIMISED: Final = ("std", "github.com/pulumi/...", "golang.org/...", "google.golang.org/...")
_COMPILED: Final = (
    "-gcflags=all=-dwarf=false -l",
    *(f"-gcflags={packages}=-dwarf=false" for packages in _OPTIMISED),
)
_KEPT_OF_OUTPUT: Final = 20


def build(layout: Layout, environment: Mapping[str, str] | None = None) -> Path:
    """Build `.cloudlet/bin/pulumi` and return its path; raises `ToolchainError`.

    Takes minutes. An interrupted build goes on where it was; the sources and what was compiled are
    removed once the program is there, since they are some gigabytes.
    """
    given = dict(os.environ if environment is None else environment)
    say(f"Building Pulumi {WANTED} from its Go module: no download server answers. Some minutes.")
    go = str(compiler(layout, given))
    go_environment = _environment(layout, given)
    with shown(Progress(what="fetching Pulumi's sources", unit="modules")) as progress:
        packages = _run([go, "list", "-deps", "-tags", _TAGS, _PACKAGE], go_environment, progress)
    layout.bin.mkdir(parents=True, exist_ok=True)
    fresh = _scratch(layout) / "pulumi"
    flags = f"-s -w -X {_VERSION}=v{WANTED}"
    command = [go, "build", "-v", "-trimpath", "-tags", _TAGS, *_COMPILED, "-ldflags", flags]
    command += ["-o", str(fresh), _PACKAGE]
    with shown(Progress(what="building Pulumi", unit="packages", total=len(packages))) as progress:
        _run(command, go_environment, progress, done_before=_scratch(layout) / "done")
    fresh.replace(layout.bin / "pulumi")
    say(f"Built Pulumi {WANTED} ({progress.line().rpartition(', ')[2]}).")
    shutil.rmtree(_scratch(layout), ignore_errors=True)
    return layout.bin / "pulumi"


def _environment(layout: Layout, given: Mapping[str, str]) -> dict[str, str]:
    """Where Go fetches from is left to the machine's own settings."""
    return {
        **given,
        "PWD": str(layout.cli_module),
        "CGO_ENABLED": "0",
        "GOPATH": str(_scratch(layout)),
        "GOMODCACHE": str(_scratch(layout) / "modules"),
        "GOCACHE": str(_scratch(layout) / "compiled"),
        # Without -modcacherw nobody but root could remove the checkout.
        "GOFLAGS": "-modcacherw -mod=readonly -buildvcs=false",
        # A compiler lives for a moment: it need not tidy up its memory as often as a server.
        "GOGC": given.get("GOGC", "400"),
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


def _run(
    command: list[str],
    environment: Mapping[str, str],
    progress: Progress,
    done_before: Path | None = None,
) -> list[str]:
    """Run `command`; each line that it writes to its standard error is one unit of progress.

    Lines in the file `done_before` are of runs that were cut off, and count as well: Go says only
    what it does anew.
    """
    errors: list[str] = []
    with contextlib.ExitStack() as opened:
        known: set[str] = set()
        notes = None
        if done_before is not None:
            notes = opened.enter_context(done_before.open("a+", encoding="utf-8", buffering=1))
            notes.seek(0)
            known.update(notes)
            progress.done = len(known)
        process = opened.enter_context(
            subprocess.Popen(
                command,
                cwd=environment["PWD"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )

        def count() -> None:
            assert process.stderr is not None
            for line in process.stderr:
                errors.append(line.rstrip())
                if notes is not None and line not in known:
                    notes.write(line)
                progress.done += line not in known

        counter = threading.Thread(target=count)
        counter.start()
        assert process.stdout is not None
        lines = process.stdout.read().splitlines()
        counter.join()
    if process.returncode != 0:
        told = "\n  ".join(errors[-_KEPT_OF_OUTPUT:])
        raise ToolchainError(f"`go {command[1]}` failed; its last words:\n  {told}")
    return lines


def _scratch(layout: Layout) -> Path:
    return layout.cache / "pulumi-cli"
