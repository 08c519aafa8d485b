"""The machine that the lab runs on: commands, root, files. Tests put their own in its place."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
# Everything that the lab writes: it lies in the checkout and git ignores it.
STATE = CHECKOUT / ".cloudlet"

# How docker begins what it only passes on.
_DAEMON = "docker: Error response from daemon: "

Log = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Completed:
    """How a command ended."""

    code: int
    out: str = ""
    error: str = ""

    @property
    def ok(self) -> bool:
        return self.code == 0

    @property
    def last_line(self) -> str:
        """The line that most tools put their error on."""
        lines = (self.error.strip() or self.out.strip()).splitlines()
        told = [line.strip() for line in lines if line.strip() and not line.startswith("See ")]
        return told[-1].removeprefix(_DAEMON) if told else f"exit code {self.code}"


class System:
    """Thin on purpose: whatever decides something belongs where it can be tested."""

    def which(self, name: str) -> str | None:
        return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/local/sbin")

    def run(
        self, command: Sequence[str], *, stdin: bytes | None = None, timeout: float | None = None
    ) -> Completed:
        """Never raises for a command that fails, is missing (127) or takes too long (124)."""
        try:
            # Without input of its own a command must not read this one's.
            done = subprocess.run(
                command, check=False, capture_output=True, timeout=timeout, input=stdin or b""
            )
        except FileNotFoundError:
            return Completed(code=127, error=f"{command[0]}: not found")
        except subprocess.TimeoutExpired:
            return Completed(code=124, error=f"{command[0]}: no answer in {timeout:.0f} s")
        return Completed(
            code=done.returncode,
            out=done.stdout.decode(errors="replace"),
            error=done.stderr.decode(errors="replace"),
        )

    def stream(self, command: Sequence[str], each_line: Log) -> Completed:
        """Run and hand over the output, line by line, as it comes."""
        lines: list[str] = []
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line)
                each_line(line.rstrip("\n"))
        return Completed(code=process.returncode, out="".join(lines))

    def pipe(self, producer: Sequence[str], consumer: Sequence[str]) -> Completed:
        """`producer | consumer`; fails if either does."""
        with subprocess.Popen(producer, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as first:
            second = subprocess.run(consumer, check=False, stdin=first.stdout, capture_output=True)
            assert first.stdout is not None
            assert first.stderr is not None
            first.stdout.close()
            trouble = first.stderr.read().decode(errors="replace")
        if first.returncode:
            return Completed(code=first.returncode, error=trouble)
        return Completed(
            code=second.returncode,
            out=second.stdout.decode(errors="replace"),
            error=second.stderr.decode(errors="replace"),
        )

    def spawn(self, command: Sequence[str], log: Path) -> None:
        """Start something that outlives this command; it writes to `log`."""
        with log.open("ab") as stream:
            subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )

    def is_root(self) -> bool:
        return os.geteuid() == 0

    def exists(self, path: str) -> bool:
        return Path(path).exists()

    def read(self, path: str) -> str:
        """Empty where there is nothing to read."""
        try:
            return Path(path).read_text(errors="replace")
        except OSError:
            return ""

    def environment(self, name: str) -> str:
        return os.environ.get(name, "")

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
