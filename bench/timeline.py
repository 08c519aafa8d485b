"""Where the time of one `up` went: when each resource began and ended, from what Pulumi printed."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.figure import Figure

from bench.measure import Line

_ROW = re.compile(
    r"^\s*(?:[+~<>=-]+)\s+(?P<type>[\w-]+:[\w/-]*:?[\w/]+)\s+(?P<name>\S+)\s+"
    r"(?P<verb>creating|created|updating|updated|deleting|deleted)\b"
)
_BEGINS = ("creating", "updating", "deleting")
# Components are there from the first moment to the last, and do nothing themselves.
_COMPONENTS = ("pulumi:pulumi:Stack", "cloudlet:index:")


@dataclass(frozen=True, kw_only=True)
class Span:
    """One resource's step; seconds since the start of the command."""

    kind: str
    name: str
    begin: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.begin


def spans(lines: Iterable[Line]) -> list[Span]:
    """The steps of all resources in the order in which they began; unfinished ones are left out."""
    begun: dict[tuple[str, str], float] = {}
    found: list[Span] = []
    for line in lines:
        row = _ROW.match(line.text)
        if row is None or row["type"].startswith(_COMPONENTS):
            continue
        key = row["type"], row["name"]
        if row["verb"] in _BEGINS:
            begun.setdefault(key, line.at)
        elif key in begun:
            found.append(Span(kind=key[0], name=key[1], begin=begun.pop(key), end=line.at))
    return sorted(found, key=lambda span: (span.begin, span.end))


def png(steps: Sequence[Span], title: str) -> bytes:
    """A bar for each step, from top to bottom in the order in which they began.

    Our own resources are black, scripts over SSH hatched, those of the docker provider grey.
    """
    with mpl.rc_context({"font.size": 7}):
        figure = Figure(figsize=(10, 0.14 * len(steps) + 1), layout="constrained")
        axis = figure.subplots()
        for row, step in enumerate(steps):
            ours = step.kind.startswith("pulumi-python:")
            script = step.kind.startswith("command:")
            axis.barh(
                row,
                max(step.seconds, 0.02),
                left=step.begin,
                color="black" if ours else "white" if script else "0.7",
                edgecolor="black",
                hatch="////" if script else None,
                linewidth=0.5,
            )
        axis.set_yticks(range(len(steps)), [step.name for step in steps])
        axis.invert_yaxis()
        axis.set_ylim(len(steps) - 0.4, -0.6)
        axis.grid(axis="x", color="0.85")
        axis.set_axisbelow(True)
        axis.set_xlabel("seconds since the start")
        axis.set_title(title)
        out = io.BytesIO()
        figure.savefig(out, format="png", dpi=110)
    return out.getvalue()
