"""Everything that is wrong with a compose file, gathered before anything is said."""

from __future__ import annotations

from dataclasses import dataclass, field


class ComposeError(Exception):
    """A compose file that cannot be deployed.

    ``problems`` holds one readable line for each mistake, all mistakes of the file at once. No
    line holds a value that came from a variable, so that every line may be shown and logged.
    """

    problems: tuple[str, ...]

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def one_line(text: str) -> str:
    """``text`` with whatever would break a line, or a terminal, written as an escape."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


@dataclass(kw_only=True)
class Report:
    """The problems and warnings of one file, in the order in which they were found."""

    source: str
    problems: list[str] = field(default_factory=list[str])
    warnings: list[str] = field(default_factory=list[str])
    ignored: list[str] = field(default_factory=list[str])

    def problem(self, path: str, text: str) -> None:
        line = one_line(f"{self.source}: {path}: {text}" if path else f"{self.source}: {text}")
        if line not in self.problems:
            self.problems.append(line)

    def warn(self, path: str, text: str) -> None:
        line = one_line(f"{self.source}: {path}: {text}")
        if line not in self.warnings:
            self.warnings.append(line)

    def ignore(self, path: str) -> None:
        """Note a key that Swarm does not act on; all of them become one warning."""
        if path not in self.ignored:
            self.ignored.append(path)

    def all_warnings(self) -> tuple[str, ...]:
        if not self.ignored:
            return tuple(self.warnings)
        named = ", ".join(self.ignored)
        return (one_line(f"{self.source}: Swarm ignores {named}"), *self.warnings)

    def raise_problems(self) -> None:
        if self.problems:
            raise ComposeError(tuple(self.problems))
