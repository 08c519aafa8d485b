"""A simulated lab and the real Pulumi engine, as the tests handle them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab import configuration
from lab.names import Lab as LabNames

ROOT = Path(__file__).parents[2]
# Another name lets a second checkout run these tests at the same time.
NAME = os.environ.get("CLOUDLET_TEST_LAB", "test")
LOOPBACK = LabNames(name=NAME).loopback
SECONDS = 600
BACKUP_PASSPHRASE = "drawer-of-old-phones"
# As the field's phones differ: how one becomes root, which init, a firewall or none.
KINDS = {
    "phone-1": "sudo",
    "phone-2": "doas",
    "phone-3": "sudo-rs,systemd",
    "phone-4": "sudo,firewall",
}
PHONES = tuple(KINDS)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One finished command. ``output`` is standard output and error as a person sees them."""

    status: int
    output: str
    seconds: float

    def ok(self) -> Run:
        assert self.status == 0, self.output
        return self


class Lab:
    """The lab called ``NAME``, on its own loopback address, with a Pulumi backend of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "Pulumi.dev.yaml"
        self.output = ""
        self.environment = os.environ | {
            "PULUMI_BACKEND_URL": f"file://{folder}/state",
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(ROOT / "lab" / "passphrase"),
            "CLOUDLET_BACKUP_PASSPHRASE": BACKUP_PASSPHRASE,
        }
        (folder / "state").mkdir()

    def configure(self, **changes: Any) -> None:
        """Writes the stack's configuration: the dev lab's, at this lab's addresses.

        Keys of ``changes`` are configuration keys without their namespace; ``None`` removes one.
        """
        config = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
        config["config"] |= own_configuration(len(PHONES))
        for key, value in changes.items():
            if value is None:
                config["config"].pop(f"cloudlet:{key}", None)
            else:
                config["config"][f"cloudlet:{key}"] = value
        self.config.write_text(yaml.safe_dump(config, sort_keys=False))

    def value(self, key: str) -> Any:
        """A key of the configuration as it stands in the file."""
        return yaml.safe_load(self.config.read_text())["config"][f"cloudlet:{key}"]

    def lab(self, *arguments: str) -> Run:
        return self._run([sys.executable, "-m", "lab", "--name", NAME, *arguments])

    def lab_up(self) -> None:
        """The phones of :data:`KINDS`, all running."""
        self.lab(
            "up", str(len(KINDS)), *(f"--kind={one}={kind}" for one, kind in KINDS.items())
        ).ok()

    def pulumi(self, *arguments: str) -> Run:
        """``pulumi`` as ``make`` runs it; everything it prints is kept in :attr:`output`."""
        done = self._run(self._pulumi(*arguments))
        self.output += done.output
        return done

    def up(self) -> Run:
        return self.pulumi("up", "--yes", "--skip-preview")

    def destroy(self) -> Run:
        return self.pulumi("destroy", "--yes", "--skip-preview")

    def operations(self, *arguments: str) -> Run:
        """What ``make status``, ``make backup`` and their like run."""
        return self.tool("operations", *arguments)

    def tool(self, module: str, *arguments: str) -> Run:
        file = ["--config-file", str(self.config)]
        return self._run([sys.executable, "-m", module, *file, *arguments])

    def export(self) -> str:
        """The state as it lies on the disk: secrets encrypted."""
        return self.pulumi("stack", "export").ok().output

    def outputs(self, *, secrets: bool = False) -> dict[str, Any]:
        show = ["--show-secrets"] if secrets else []
        command = self._pulumi("stack", "output", "--json", *show)
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout)

    @contextmanager
    def running_up(self, text: str, command: str = "up") -> Iterator[subprocess.Popen[str]]:
        """An `up` that has printed ``text`` and goes on; afterwards it must have ended."""
        process = subprocess.Popen(
            self._pulumi(command, "--yes", "--skip-preview"),
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        seen = ""
        for line in process.stdout:
            seen += line
            if text in line:
                break
        else:
            raise AssertionError(seen)
        yield process
        process.communicate(timeout=SECONDS)

    def kill_up_when(self, text: str, *, later: float = 0, command: str = "up") -> None:
        """Runs ``up`` and kills it with -9, and all it started, once it has printed ``text``.

        ``later``: so many seconds after that. ``command``: another one than ``up``.
        """
        with self.running_up(text, command) as process:
            time.sleep(later)
            assert process.poll() is None, "it ended before it could be killed"
            os.killpg(process.pid, signal.SIGKILL)

    def on(self, phone: str, command: str) -> str:
        """What a command prints, run as root on a phone by the side door that a real one lacks."""
        done = subprocess.run(
            ["docker", "exec", f"cloudlet-{NAME}-{phone}", "sh", "-c", command],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{phone}: {command}: {done.stderr}"
        return done.stdout

    def tasks(self) -> list[str]:
        """Ids of all running tasks."""
        listed = self.on(
            "phone-1",
            "docker service ps -q -f desired-state=running $(docker service ls -q)",
        )
        return sorted(listed.split())

    def _pulumi(self, *arguments: str) -> list[str]:
        own = ["--stack", "dev", "--non-interactive"]
        if arguments[0] != "stack":
            own += ["--config-file", str(self.config)]
        return [sys.executable, "-m", "toolchain", "pulumi", "--", *arguments, *own]

    def _run(self, command: list[str]) -> Run:
        started = time.monotonic()
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        seconds = time.monotonic() - started
        return Run(status=done.returncode, output=done.stdout, seconds=seconds)


def own_configuration(phones: int) -> dict[str, Any]:
    """What of a stack's configuration belongs to this lab with so many phones."""
    return yaml.safe_load(configuration.block(LabNames(name=NAME), phones))["config"]


def http(
    port: int, path: str, body: Any = None, headers: Mapping[str, str] | None = None
) -> tuple[int, Any]:
    """Status and answer, JSON read, of one request to a port that the entry phone publishes."""
    request = urllib.request.Request(
        f"http://{LOOPBACK}:{port}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **(headers or {})},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        text = answer.read().decode()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text


def wait_for(condition: Any, seconds: float) -> bool:
    """Whether ``condition`` became true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True


@contextmanager
def command_lines() -> Iterator[set[str]]:
    """Every command line seen on this machine meanwhile; containers' processes are among them."""
    seen: set[str] = set()
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            for entry in Path("/proc").iterdir():
                if entry.name.isdigit():
                    try:
                        seen.add((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
                    except (OSError, UnicodeDecodeError):
                        continue
            stop.wait(0.05)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        stop.set()
        watcher.join()
