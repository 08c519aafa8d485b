"""Which project and stack a `pulumi` command line is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import yaml

from .errors import ToolchainError

DEFAULT_STACK: Final = "dev"
# The commands that change a stack's state, and so take its lock.
CHANGING: Final = frozenset({"up", "update", "refresh", "destroy", "import", "watch"})
# The commands that need a stack to be there.
_NEEDING: Final = CHANGING | {"preview", "config", "stack", "console", "logs", "state"}
# Of `pulumi stack`, those that make or list stacks themselves.
_WITHOUT: Final = frozenset({"init", "ls", "rm", "select", "unselect"})
_VALUED: Final = ("--cwd", "-C", "--stack", "-s", "--color", "--profiling", "--tracing", "-v")


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a command line is about; `stack` is None where the command needs none."""

    command: str
    project: str
    stack: str | None
    directory: Path


def missing_file(file: Path, stack: str) -> str:
    """What to do about a lab whose configuration file is not there."""
    return (
        f"there is no {file.name}: make one with `make new-lab NAME={stack}`, bring it back, or "
        "name another lab with STACK="
    )


def target(arguments: Sequence[str], here: Path) -> Target:
    """Read a command line as `pulumi` would.

    Raises `ToolchainError` without a project, or where `--stack` names none.
    """
    words = list(_words(arguments))
    directory = here / (value_of(arguments, "--cwd", "-C") or ".")
    command = words[0] if words else ""
    stack: str | None = None
    if command in _NEEDING and not (command == "stack" and words[1:2] and words[1] in _WITHOUT):
        stack = value_of(arguments, "--stack", "-s")
        if stack is None:
            stack = DEFAULT_STACK
        if not stack:
            raise ToolchainError("--stack names no lab; give the name of a Pulumi.<lab>.yaml")
    project = _project(directory) if stack is not None else ""
    return Target(command=command, project=project, stack=stack, directory=directory)


def named_stack(arguments: Sequence[str]) -> bool:
    """Whether the command line says which stack it is about."""
    return value_of(arguments, "--stack", "-s") is not None


def file_backend(environment: dict[str, str]) -> Path | None:
    """The directory of a `file://` backend; None for another kind."""
    url = environment.get("PULUMI_BACKEND_URL", "")
    if not url.startswith("file://"):
        return None
    path = url.removeprefix("file://").split("?", 1)[0]
    return Path(path).expanduser()


def plain_state_file(state: Path, project: str, stack: str) -> Path:
    """Where the stack's state is, or would be, unless the user has it compressed."""
    return state / ".pulumi" / "stacks" / project / f"{stack}.json"


def state_file(state: Path, project: str, stack: str) -> Path | None:
    """The stack's state, if the stack has been made."""
    plain = plain_state_file(state, project, stack)
    candidates = (plain, plain.with_name(plain.name + ".gz"))
    return next((path for path in candidates if path.is_file()), None)


def _words(arguments: Sequence[str]) -> list[str]:
    words: list[str] = []
    skip = False
    for argument in arguments:
        if skip:
            skip = False
        elif argument in _VALUED:
            skip = True
        elif not argument.startswith("-"):
            words.append(argument)
    return words


def value_of(arguments: Sequence[str], *names: str) -> str | None:
    """What a command line gives for an option, the first of its `names` that it has."""
    for index, argument in enumerate(arguments):
        if argument in names and index + 1 < len(arguments):
            return arguments[index + 1]
        for name in names:
            if name.startswith("--") and argument.startswith(f"{name}="):
                return argument.removeprefix(f"{name}=")
    return None


def _project(directory: Path) -> str:
    path = directory / "Pulumi.yaml"
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError:
        raise ToolchainError(f"no Pulumi.yaml in {directory}: run it from the checkout") from None
    except yaml.YAMLError as error:
        raise ToolchainError(f"{path} is no YAML: {' '.join(str(error).split())}") from None
    name = cast("dict[str, Any]", content).get("name") if isinstance(content, dict) else None
    if not isinstance(name, str):
        raise ToolchainError(f"{path} has no name")
    return name
