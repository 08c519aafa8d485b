"""A run as one picture that reads in black and white."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from load_test.record import Second, seconds
from load_test.run import Run
from load_test.watch import Event, Sample

Draw = Callable[[Axes], None]
# Told apart by their dashes and greys, not by their colours.
LINES = (
    ("black", "-"),
    ("black", "--"),
    ("black", ":"),
    ("0.5", "-"),
    ("0.5", "--"),
    ("0.5", "-."),
    ("0.7", "-"),
    ("0.7", "--"),
)
WIDTH_INCHES = 10.0
PANEL_INCHES = 2.1
# A percentile of a single second jumps with every request.
SMOOTHED_SECONDS = 5


def png(run: Run, marks: Sequence[Event]) -> bytes:
    """The picture: load, times, users, the list's bytes where it was asked for, and the phones.

    ``marks`` are numbered from 1, in the order given.
    """
    line = seconds(run.requests, run.began)
    panels = list(_panels(run, line))
    with mpl.rc_context({"font.size": 8, "axes.grid": True, "grid.color": "0.9"}):
        figure = Figure(figsize=(WIDTH_INCHES, PANEL_INCHES * len(panels)), layout="constrained")
        axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        for axis, (title, draw) in zip(axes, panels, strict=True):
            draw(axis)
            axis.set_ylabel(title)
            for number, mark in enumerate(marks, 1):
                at = mark.at - run.began
                axis.axvline(at, color="0.4", linewidth=0.7, linestyle=(0, (1, 2)))
                if axis is axes[0]:
                    axis.annotate(
                        str(number),
                        (at, 1.01),
                        xycoords=("data", "axes fraction"),
                        ha="center",
                        va="bottom",
                        fontsize=6,
                    )
            if axis.get_legend_handles_labels()[0]:
                axis.legend(loc="upper left", ncols=4, frameon=False)
        axes[-1].set_xlabel("seconds since the start")
        axes[-1].set_xlim(0, max((second.at for second in line), default=1) + 1)
        out = io.BytesIO()
        figure.savefig(out, format="png", dpi=110)
    return out.getvalue()


def _panels(run: Run, line: Sequence[Second]) -> Iterator[tuple[str, Draw]]:
    at = [second.at for second in line]

    def load(axis: Axes) -> None:
        axis.plot(at, [s.requests for s in line], color="black", linewidth=0.9, label="requests")
        axis.fill_between(
            at, [s.failures for s in line], color="0.6", hatch="////", label="failures"
        )
        axis.set_ylim(bottom=0)

    def times(axis: Axes) -> None:
        for label, style, values in (
            ("p95", "--", [s.p95 for s in line]),
            ("p50", "-", [s.p50 for s in line]),
        ):
            axis.plot(at, smooth(values), color="black", linestyle=style, label=label)
        axis.set_yscale("log")

    def users(axis: Axes) -> None:
        axis.plot(at, [s.users for s in line], color="black")
        axis.set_ylim(bottom=0)

    yield "requests/s", load
    yield "milliseconds", times
    yield "users", users
    if any(second.list_bytes for second in line):

        def size(axis: Axes) -> None:
            points = [(s.at, s.list_bytes / 1e6) for s in line if s.list_bytes]
            axis.plot(*zip(*points, strict=True), color="black", linestyle="", marker=".")
            axis.set_ylim(bottom=0)

        yield "MB in a list's answer", size
    for title, name in (
        ("cores busy", "cores"),
        ("memory, MB", "memory_mb"),
        ("processor, °C", "celsius"),
        ("battery, °C", "battery_celsius"),
    ):
        series = _series(run.samples, name, run.began)
        if series:
            yield title, _phones(series)


def smooth(values: Sequence[float]) -> list[float]:
    """Each value's mean with those just before it, zeros (seconds without an answer) left out."""
    smoothed: list[float] = []
    for end in range(1, len(values) + 1):
        near = [value for value in values[max(0, end - SMOOTHED_SECONDS) : end] if value]
        smoothed.append(sum(near) / len(near) if near else float("nan"))
    return smoothed


def _series(
    samples: Sequence[Sample], name: str, began: float
) -> dict[str, list[tuple[float, float]]]:
    series: dict[str, list[tuple[float, float]]] = {}
    for sample in samples:
        value = getattr(sample, name)
        if value is not None:
            series.setdefault(sample.phone, []).append((sample.at - began, value))
    return dict(sorted(series.items()))


def _phones(series: dict[str, list[tuple[float, float]]]) -> Draw:
    def draw(axis: Axes) -> None:
        for number, (phone, points) in enumerate(series.items()):
            color, style = LINES[number % len(LINES)]
            # A legend of thirty phones would hide the lines.
            label = phone if len(series) <= len(LINES) else None
            axis.plot(*zip(*points, strict=True), color=color, linestyle=style, label=label)

    return draw
