"""Where everything generated lives: inside the checkout, in directories that git ignores."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The paths of one checkout. Nothing here is created by naming it."""

    root: Path

    @property
    def generated(self) -> Path:
        """Everything that `make clean` removes, the Python environment apart."""
        return self.root / ".cloudlet"

    @property
    def bin(self) -> Path:
        """Our `pulumi` and launchers; on PATH only while it holds something."""
        return self.generated / "bin"

    @property
    def pulumi_home(self) -> Path:
        return self.generated / "pulumi"

    @property
    def state(self) -> Path:
        """The root of the `file://` backend."""
        return self.generated / "state"

    @property
    def cache(self) -> Path:
        return self.generated / "cache"

    @property
    def go(self) -> Path:
        """A Go compiler, where the machine has none that is new enough; its root directory."""
        return self.generated / "go"

    @property
    def python(self) -> Path:
        return self.root / ".venv" / "bin" / "python"

    @property
    def passphrase_file(self) -> Path:
        """The worthless passphrase of the simulated lab's secrets."""
        return self.root / "lab" / "passphrase"

    @property
    def cli_module(self) -> Path:
        """The committed go.mod and go.sum that pin the command line's sources."""
        return self.root / "toolchain" / "cli"


def checkout() -> Layout:
    """The checkout that this file belongs to."""
    return Layout(root=Path(__file__).resolve().parent.parent)
