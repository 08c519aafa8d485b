"""The Docker engine of this machine: used if there is one, else installed and started.

An engine that was already there is never touched. One that `lab` started is stopped by `lab down`,
for which .cloudlet/engine/started.json remembers how it was started.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from lab.docker import Docker
from lab.errors import LabError
from lab.system import STATE, Log, System

_ANSWER_SECONDS = 20
_START_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Finds, starts and stops the engine. `folder` holds what must be remembered about it."""

    log: Log
    system: System = field(default_factory=System)
    folder: Path = STATE / "engine"

    def find(self) -> Docker | None:
        """The engine if one answers. Raises LabError if it answers but refuses this user."""
        if self.system.which("docker") is None:
            return None
        asked = self.system.run(
            ["docker", "info", "--format={{.ServerVersion}}"], timeout=_ANSWER_SECONDS
        )
        # With no server some versions of docker print the client's part and succeed.
        if asked.ok and asked.out.strip() and "ERROR" not in asked.error:
            return Docker(system=self.system)
        if "permission denied" in asked.error.lower():
            if self._as_root() is not None:
                return Docker(command=("sudo", "docker"), system=self.system)
            raise LabError(
                "Docker runs, but this user may not use it: add the user to the group docker "
                "(sudo usermod -aG docker $USER, then log in again)"
            )
        return None

    def ensure(self) -> Docker:
        """An engine that answers, whatever it takes; raises LabError saying why there is none."""
        found = self.find()
        if found is not None:
            return found
        host = self.system.environment("DOCKER_HOST")
        if host:
            raise LabError(
                f"no Docker engine answers at DOCKER_HOST={host}: start it or unset DOCKER_HOST"
            )
        root = self._as_root()
        installed = self.system.which("dockerd") is not None
        if root is None:
            raise LabError(
                "no Docker engine runs, and "
                + ("starting it" if installed else "installing one")
                + " takes root or sudo: start Docker (https://docs.docker.com/engine/install/)"
            )
        if not installed:
            self._install(root)
            # The package may start the engine by itself.
            found = self.find()
            if found is not None:
                self._remember("service")
                return found
        self._start(root)
        return self._wait()

    def is_own(self) -> bool:
        """True if `lab` started the engine."""
        return self._record.exists()

    def stop_own(self) -> None:
        """Stop the engine that `lab` started."""
        root = self._as_root() or []
        if json.loads(self._record.read_text())["how"] == "service":
            stop = self._service("stop")
            done = self.system.run([*root, *stop]) if stop else None
            if done is not None and not done.ok:
                raise LabError(f"Docker could not be stopped: {done.last_line}")
        else:
            self._stop_process(root)
        shutil.rmtree(self.folder)

    @property
    def _record(self) -> Path:
        return self.folder / "started.json"

    def _as_root(self) -> list[str] | None:
        """What to put before a command to run it as root; None where that can't be."""
        if self.system.is_root():
            return []
        return ["sudo"] if self.system.which("sudo") else None

    def _install(self, root: list[str]) -> None:
        release = self.system.read("/etc/os-release")
        kinds = re.findall(r"^ID(?:_LIKE)?=(.*)$", release, re.MULTILINE)
        words = " ".join(kinds).replace('"', "").split()
        if not {"debian", "ubuntu"} & set(words) or self.system.which("apt-get") is None:
            raise LabError(
                "no Docker engine is installed, and only on Debian and Ubuntu can cloudlet install "
                "one: see https://docs.docker.com/engine/install/"
            )
        self.log("no Docker engine on this machine: installing the package docker.io, which the")
        self.log(
            "simulated phones run in (it stays installed; `apt-get remove docker.io` undoes it)"
        )
        apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
        for step in (["update"], ["install", "--no-install-recommends", "docker.io", "iptables"]):
            done = self.system.stream([*apt, *step], self._apt_line)
            if not done.ok:
                raise LabError(f"apt-get {step[0]} failed: {done.last_line}")
        if self.system.which("docker") is None:
            # From Debian 13 on the command is a package of its own.
            done = self.system.stream(
                [*apt, "install", "--no-install-recommends", "docker-cli"], self._apt_line
            )
            if not done.ok:
                raise LabError(f"apt-get install docker-cli failed: {done.last_line}")

    def _apt_line(self, line: str) -> None:
        if line.startswith(("Fetched", "Setting up docker", "Setting up containerd")):
            self.log(f"  {line}")

    def _service(self, action: str) -> list[str] | None:
        """The init system's command for the service docker, if an init system runs."""
        if self.system.exists("/run/systemd/system"):
            return ["systemctl", action, "docker.service", "docker.socket"]
        if self.system.exists("/run/openrc/softlevel"):
            return ["rc-service", "docker", action]
        return None

    def _start(self, root: list[str]) -> None:
        start = self._service("start")
        if start is not None:
            self.log(f"no Docker engine runs: {' '.join(start)}")
            # Remembered first: a lab that is killed meanwhile must still know that it is its own.
            self._remember("service")
            done = self.system.run([*root, *start])
            if not done.ok:
                shutil.rmtree(self.folder)
                raise LabError(f"Docker could not be started: {done.last_line}")
            return
        self._remember("process")
        log = self.folder / "dockerd.log"
        self.log(f"no Docker engine runs: starting dockerd, its log is {log}")
        self.system.spawn([*root, "dockerd", f"--pidfile={self.folder / 'dockerd.pid'}"], log)

    def _remember(self, how: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._record.write_text(json.dumps({"how": how}))

    def _wait(self) -> Docker:
        for _ in range(_START_SECONDS):
            found = self.find()
            if found is not None:
                return found
            self.system.sleep(1)
        lines = self.system.read(str(self.folder / "dockerd.log")).strip().splitlines()
        why = lines[-1] if lines else "it said nothing"
        raise LabError(f"the Docker engine did not answer within {_START_SECONDS} s: {why}")

    def _stop_process(self, root: list[str]) -> None:
        pid = self.system.read(str(self.folder / "dockerd.pid")).strip()
        # A number left over from before a reboot may be another program's by now.
        if not pid or self.system.read(f"/proc/{pid}/comm").strip() != "dockerd":
            return
        self.system.run([*root, "kill", pid])
        for _ in range(_START_SECONDS):
            # Empty also for one that has ended and that nobody waits for.
            if not self.system.read(f"/proc/{pid}/cmdline"):
                return
            self.system.sleep(1)
        raise LabError(f"dockerd (process {pid}) does not stop: kill -9 {pid}")
