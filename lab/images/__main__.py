"""python -m lab.images: build what is missing and print what stands for what."""

from __future__ import annotations

import sys

from lab.__main__ import alone, ended, log
from lab.images import build


def run() -> None:
    """The command; raises LabError."""
    with alone():
        tags = build(log)
    width = max(len(reference) for reference in tags)
    for reference, tag in tags.items():
        print(f"{reference:{width}}  {tag}")


if __name__ == "__main__":
    sys.exit(ended(run))
