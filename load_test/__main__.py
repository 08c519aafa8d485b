"""``python -m load_test``: its modules take seconds to load, and Ctrl-C is no traceback then."""

from __future__ import annotations

import sys

from toolchain.ending import exit_code


def _run() -> int:
    from .command_line import main  # noqa: PLC0415  here it can be stopped

    return main()


if __name__ == "__main__":
    sys.exit(exit_code(_run, stopped="stopped"))
