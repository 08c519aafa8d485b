"""A run as one page that needs no other file."""

from __future__ import annotations

import base64
import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from load_test.plot import png
from load_test.record import Summary, by_kind, percentile, summary
from load_test.run import Run
from load_test.watch import Event, Sample

# The seeds' own run, as its picture and text tell it: list, orders and menu with equal chance.
SEEDS = (
    ("50 to 65 users", "14", "none", "", ""),
    ("300 users, at first", "15", "7", "", ""),
    ("300 users, later", "2 to 9", "about half", "up to 55 s", "up to 170 s"),
)
MOST_MARKS = 40

_STYLE = """
body { font: 15px/1.45 sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; }
th, td { border: 1px solid #999; padding: .2rem .6rem; text-align: right; }
th:first-child, td:first-child { text-align: left; }
img { max-width: 100%; }
"""


def write(run: Run, folder: Path) -> Path:
    """``report.html`` and ``report.png`` in ``folder``; the page's path."""
    marks = run.events[:MOST_MARKS]
    picture = png(run, marks)
    (folder / "report.png").write_bytes(picture)
    page = folder / "report.html"
    page.write_text(html(run, marks, picture), encoding="utf-8")
    return page


def html(run: Run, marks: Sequence[Event], picture: bytes) -> str:
    """The page."""
    load = run.load
    began = datetime.fromtimestamp(run.began, UTC)
    what = " and ".join(load.tags) or "menu, orders and list"
    errors = _count(request.error for request in run.requests if request.error)
    parts = [
        f"<h1>{load.users} users, {what}</h1>",
        f"<p>{began:%Y-%m-%d %H:%M} UTC on {escape(machine())}: {load}. "
        f"{escape(str(run.account))}.</p>",
        "<h2>Beside the seeds' run</h2>",
        _table(
            ("run", "requests/s", "failed/s", "p50", "p95", "bytes per answer"),
            [
                *((f"seeds, four phones, {row[0]}", *row[1:], "not told") for row in SEEDS),
                *(
                    (f"this run, {name}", *_figures(figures))
                    for name, figures in {
                        "all": summary(run.requests),
                        f"all, at {load.users} users": summary(
                            [r for r in run.requests if r.users >= load.users]
                        ),
                        **by_kind(run.requests),
                    }.items()
                ),
            ],
        ),
        f'<img alt="the run over time" src="data:image/png;base64,{_base64(picture)}">',
    ]
    if marks:
        rows = [
            (str(number), f"{mark.at - run.began:.0f} s", mark.text)
            for number, mark in enumerate(marks, 1)
        ]
        left = len(run.events) - len(marks)
        parts += ["<h2>What happened</h2>", _table(("mark", "at", "what"), rows)]
        parts += [f"<p>And {left} more.</p>"] if left > 0 else []
    if errors:
        parts += ["<h2>What failed</h2>", _table(("error", "requests"), errors)]
    if run.samples:
        parts += ["<h2>The phones</h2>", _phones(run.samples)]
    body = "\n".join(parts)
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>cloudlet: {load.users} '
        f"users</title><style>{_STYLE}</style>\n{body}\n</html>\n"
    )


def lines(run: Run) -> list[str]:
    """The run for a terminal."""
    told = [
        f"{name:9} {one.requests:6} requests, {one.failures} failed, {one.rate:.1f}/s, "
        f"p50 {one.p50:.0f} ms, p95 {one.p95:.0f} ms, slowest {one.slowest:.0f} ms, "
        f"{one.bytes_each:.0f} bytes per answer"
        for name, one in {"all": summary(run.requests), **by_kind(run.requests)}.items()
    ]
    return [*told, str(run.account)]


def machine() -> str:
    """What this ran on, without its name."""
    cpus = Path("/proc/cpuinfo").read_text().count("\nprocessor") + 1
    memory = int(Path("/proc/meminfo").read_text().split()[1]) // 1024**2
    return f"{platform.system()} {platform.machine()}, {cpus} cores, {memory} GB"


def _figures(one: Summary) -> tuple[str, ...]:
    failed = one.failures / one.requests * one.rate if one.requests else 0.0
    return (
        f"{one.rate:.1f}",
        f"{failed:.2f}" if failed else "none",
        f"{one.p50:.0f} ms",
        f"{one.p95:.0f} ms",
        f"{one.bytes_each:,.0f}",
    )


def _phones(samples: Sequence[Sample]) -> str:
    by_phone: dict[str, list[Sample]] = {}
    for sample in samples:
        by_phone.setdefault(sample.phone, []).append(sample)

    def hottest(values: Iterable[float | None]) -> str:
        known = [value for value in values if value is not None]
        return f"{max(known):.1f} °C" if known else "not told"

    return _table(
        ("phone", "cores busy, mean", "p95", "memory, most", "processor", "battery"),
        [
            (
                phone,
                f"{sum(s.cores for s in of) / len(of):.2f}",
                f"{percentile([s.cores for s in of], 0.95):.2f}",
                f"{max(s.memory_mb for s in of)} MB",
                hottest(s.celsius for s in of),
                hottest(s.battery_celsius for s in of),
            )
            for phone, of in sorted(by_phone.items())
        ],
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    def row(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    return "\n".join(["<table>", row(head, "th"), *(row(each, "td") for each in rows), "</table>"])


def _count(texts: Iterable[str]) -> list[tuple[str, str]]:
    counts: dict[str, int] = {}
    for text in texts:
        counts[text] = counts.get(text, 0) + 1
    most_first: Mapping[str, int] = dict(sorted(counts.items(), key=lambda item: -item[1]))
    return [(text, str(count)) for text, count in most_first.items()]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
