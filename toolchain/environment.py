"""The environment in which Pulumi runs from this checkout."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from .layout import Layout
from .project import DEFAULT_STACK

# Set where nobody watches: what is fleeting on a terminal would stand in a file for good.
UNWATCHED: Final = "CLOUDLET_UNWATCHED"
# Which of Pulumi's commands runs: what a program says of a thing to be done differs by it.
COMMAND: Final = "CLOUDLET_COMMAND"
PASSPHRASES: Final = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")


def pulumi_environment(
    layout: Layout, given: Mapping[str, str] | None = None, *, stack: str = DEFAULT_STACK
) -> dict[str, str]:
    """`given` (default: this process' environment) and what Pulumi needs besides.

    Every ``PULUMI_*`` that the user set wins. A passphrase counts as set in either of its two
    forms, because Pulumi prefers the plain one even over a file that was asked for. The worthless
    passphrase of the simulated lab is for its `stack` alone: real passwords need a real one.
    `.cloudlet/bin` comes first on PATH if it holds anything, which it does only where the official
    programs could not be had.
    """
    environment = dict(os.environ if given is None else given)
    for name, value in _defaults(layout).items():
        if name in PASSPHRASES and (
            stack != DEFAULT_STACK or any(other in environment for other in PASSPHRASES)
        ):
            continue
        environment.setdefault(name, value)
    environment["PATH"] = _path(layout, environment.get("PATH", os.defpath))
    return environment


def difference(
    layout: Layout, given: Mapping[str, str], *, stack: str = DEFAULT_STACK
) -> dict[str, str]:
    """What `pulumi_environment` adds to `given` or changes in it, and STACK, for a shell.

    With STACK set, what is typed there as `make` needs it means the same lab to both.
    """
    wanted = {**pulumi_environment(layout, given, stack=stack), "STACK": stack}
    return {name: value for name, value in wanted.items() if given.get(name) != value}


def pulumi_home(layout: Layout, given: Mapping[str, str]) -> Path:
    """Where Pulumi looks for downloaded plugins."""
    return Path(given.get("PULUMI_HOME", layout.pulumi_home))


def path_without_ours(layout: Layout, given: Mapping[str, str]) -> str:
    """PATH as the user has it: what is found there is not ours."""
    entries = given.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(entry for entry in entries if Path(entry or ".") != layout.bin)


def _defaults(layout: Layout) -> dict[str, str]:
    return {
        "PULUMI_HOME": str(layout.pulumi_home),
        "PULUMI_BACKEND_URL": layout.state.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(layout.passphrase_file),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # Copilot and its hint need an account.
        "PULUMI_SUPPRESS_COPILOT_LINK": "true",
    }


def _path(layout: Layout, path: str) -> str:
    entries = [entry for entry in path.split(os.pathsep) if Path(entry or ".") != layout.bin]
    if layout.bin.is_dir() and any(layout.bin.iterdir()):
        entries.insert(0, str(layout.bin))
    return os.pathsep.join(entries)
