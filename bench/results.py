"""What was measured, kept as JSON so that runs add up, and shown as a table and a picture."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import matplotlib as mpl
from matplotlib.figure import Figure

MARKERS = "osD^vx"


@dataclass(frozen=True, kw_only=True)
class Result:
    """One step of one run. ``load`` is the machine's load average before it, ``at`` a date."""

    at: str
    commit: str
    tool: str
    step: str
    phones: int
    seconds: float
    peak_mb: float
    load: float


def read(path: Path) -> list[Result]:
    """All that was kept; nothing where the file does not exist."""
    if not path.exists():
        return []
    return [Result(**json.loads(line)) for line in path.read_text().splitlines() if line.strip()]


def keep(path: Path, result: Result) -> None:
    """Adds one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(asdict(result)) + "\n")


def table(results: Iterable[Result]) -> str:
    """Medians with the range, a line for each tool and step, a column for each number of phones."""
    groups = _groups(results)
    counts = sorted({phones for _, _, phones in groups})
    head = ["", *(f"{count} phones" for count in counts), "peak memory"]
    lines = [head, ["---"] * len(head)]
    for tool, step in dict.fromkeys((tool, step) for tool, step, _ in groups):
        cells = [f"{tool}: {step}"]
        memory: list[str] = []
        for count in counts:
            those = groups.get((tool, step, count), [])
            cells.append(_cell([one.seconds for one in those]))
            if those:
                memory.append(f"{median(one.peak_mb for one in those):.0f}")
        lines.append([*cells, " / ".join(memory) + " MB"])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def png(results: Iterable[Result]) -> bytes:
    """Seconds over the number of phones, a line for each tool and step.

    A step of ours that was measured for one number of phones only is left out.
    """
    groups = _groups(results)
    with mpl.rc_context({"font.size": 8, "axes.grid": True, "grid.color": "0.9"}):
        figure = Figure(figsize=(8, 4.5), layout="constrained")
        axis = figure.subplots()
        times = Counter((tool, step) for tool, step, _ in groups)
        kinds = [kind for kind, count in times.items() if count > 1 or kind[0] != "cloudlet"]
        for number, (tool, step) in enumerate(kinds):
            points = sorted(
                (phones, median(one.seconds for one in those))
                for (its, name, phones), those in groups.items()
                if (its, name) == (tool, step)
            )
            axis.plot(
                *zip(*points, strict=True),
                color="black" if tool == "cloudlet" else "0.5",
                linestyle="-" if tool == "cloudlet" else "--",
                marker=MARKERS[number % len(MARKERS)],
                markerfacecolor="white",
                label=f"{tool}: {step}",
            )
        axis.set_xlabel("phones")
        axis.set_ylabel("seconds, median")
        axis.set_ylim(bottom=0)
        figure.legend(frameon=False, loc="outside upper left", ncols=3)
        out = io.BytesIO()
        figure.savefig(out, format="png", dpi=110)
    return out.getvalue()


def _groups(results: Iterable[Result]) -> dict[tuple[str, str, int], list[Result]]:
    groups: dict[tuple[str, str, int], list[Result]] = {}
    for one in results:
        groups.setdefault((one.tool, one.step, one.phones), []).append(one)
    return groups


def _cell(seconds: Sequence[float]) -> str:
    if not seconds:
        return "not measured"
    middle = f"{median(seconds):.1f} s"
    if len(seconds) == 1:
        return f"{middle} (one run)"
    return f"{middle} ({min(seconds):.1f} to {max(seconds):.1f}, {len(seconds)} runs)"
