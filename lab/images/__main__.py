"""python -m lab.images: build what is missing and print what stands for what."""

from __future__ import annotations

import sys

from lab.__main__ import log, only_one
from lab.errors import LabError
from lab.images import build
from lab.system import STATE


def main() -> int:
    """The command; returns its exit code."""
    try:
        with only_one(STATE / "lab.lock"):
            tags = build(log)
    except LabError as error:
        for line in str(error).splitlines():
            print(f"lab: {line}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    width = max(len(reference) for reference in tags)
    for reference, tag in tags.items():
        print(f"{reference:{width}}  {tag}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
