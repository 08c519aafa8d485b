"""A machine for the lab's tests: it answers commands as told and remembers them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from lab.system import Completed, Log, System

Answer = Callable[[Sequence[str]], Completed | None]


class Machine(System):
    """`programs` are on PATH; `answer` gives a command's result (None: it succeeds, silent)."""

    def __init__(
        self,
        *,
        programs: set[str],
        answer: Answer,
        root: bool = True,
        files: dict[str, str] | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.programs = programs
        self.answer = answer
        self.root = root
        self.files = files or {}
        self.variables = environment or {}
        self.commands: list[list[str]] = []

    def which(self, name: str) -> str | None:
        return f"/usr/bin/{name}" if name in self.programs else None

    def run(
        self, command: Sequence[str], *, stdin: bytes | None = None, timeout: float | None = None
    ) -> Completed:
        self.commands.append(list(command))
        return self.answer(command) or Completed(code=0)

    def stream(self, command: Sequence[str], each_line: Log) -> Completed:
        return self.run(command)

    def spawn(self, command: Sequence[str], log: Path) -> None:
        self.run(command)

    def is_root(self) -> bool:
        return self.root

    def exists(self, path: str) -> bool:
        return path in self.files

    def read(self, path: str) -> str:
        return self.files.get(path, "")

    def environment(self, name: str) -> str:
        return self.variables.get(name, "")

    def sleep(self, seconds: float) -> None:
        self.commands.append(["sleep", f"{seconds:g}"])

    def ran(self, *words: str) -> bool:
        """True if some command held all these words."""
        return any(set(words) <= set(command) for command in self.commands)
