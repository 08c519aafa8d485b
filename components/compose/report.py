"""Everything that is wrong with the files of a stack, gathered before anything is said."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

# How several files become one is docker stack deploy's to say, even where it surprises.
KEPT = "an empty value leaves what a file before says, as in docker stack deploy"


class ComposeError(Exception):
    """Compose files that cannot be deployed.

    ``problems`` holds one readable line for each mistake, all mistakes of the files at once. No
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


def join(path: str, key: str) -> str:
    """The path of an entry below ``path``."""
    return f"{path}.{key}" if path else key


@dataclass(frozen=True)
class Remark:
    """What is to be said about one place of one file."""

    source: str
    path: str
    text: str

    def __str__(self) -> str:
        place = f"{self.source}: {self.path}" if self.path else self.source
        return one_line(f"{place}: {self.text}")


@dataclass(kw_only=True)
class Report:
    """The problems and warnings of a stack, in the order in which they were found.

    ``source`` is the file that is being read; the files of one stack share the rest.
    """

    source: str
    # Without values: they only keep the order, and what was said already out.
    problems: dict[Remark, None] = field(default_factory=dict[Remark, None])
    warnings: dict[Remark, None] = field(default_factory=dict[Remark, None])
    ignored: dict[Remark, None] = field(default_factory=dict[Remark, None])

    def of(self, source: str) -> Report:
        """The same report, for another file."""
        return replace(self, source=source)

    def problem(self, path: str, text: str) -> None:
        self.problems[Remark(self.source, path, text)] = None

    def warn(self, path: str, text: str) -> None:
        self.warnings[Remark(self.source, path, text)] = None

    def ignore(self, path: str) -> None:
        """Note a key that Swarm does not act on; all of them become one warning."""
        self.ignored[Remark(self.source, path, "")] = None

    def complained(self, path: str) -> bool:
        """Whether a problem of this file is noted at ``path``, above it or below it."""
        return any(
            problem.source == self.source
            and (_within(problem.path, path) or _within(path, problem.path))
            for problem in self.problems
        )

    def all_warnings(self) -> tuple[str, ...]:
        paths: dict[str, list[str]] = {}
        for remark in self.ignored:
            paths.setdefault(remark.source, []).append(remark.path)
        ignored = "; ".join(
            f"{source}: Swarm ignores {', '.join(found)}" for source, found in paths.items()
        )
        return (*([one_line(ignored)] if ignored else []), *map(str, self.warnings))

    def raise_problems(self) -> None:
        if self.problems:
            raise ComposeError(tuple(map(str, self.problems)))


def _within(path: str, other: str) -> bool:
    """Whether ``path`` is ``other``, or a place below it."""
    return path.startswith(other) and (not other or path[len(other) :][:1] in ("", ".", "["))
