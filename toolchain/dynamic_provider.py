"""`pulumi-resource-pulumi-python`: the SDK's own dynamic provider, ended with its engine.

No stand-in: the official program of this name is a script that runs the same module.
"""

from __future__ import annotations

import runpy

from toolchain.plugin import lifetime


def main() -> None:
    """Serve dynamic providers until the engine ends this process."""
    lifetime.end_with_engine()
    runpy.run_module("pulumi.dynamic", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
