"""A simulated lab of the benchmark's own, and what is measured on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bench.measure import Measured, measure
from lab.names import Lab

ROOT = Path(__file__).resolve().parent.parent
STACK_FILE = "bench/stack.yml"
# Nothing listens there, on this machine or elsewhere, from this port on.
NOWHERE = ("127.0.0.9", 2999)


@dataclass(frozen=True, kw_only=True)
class Step:
    """What is measured: its name in the tables, and pulumi's arguments."""

    name: str
    arguments: tuple[str, ...]


UP = Step(name="up, bare phones", arguments=("up", "--yes", "--skip-preview"))
AGAIN = Step(name="up, nothing to change", arguments=("up", "--yes", "--skip-preview"))
PREVIEW = Step(name="preview", arguments=("preview",))
REFRESH = Step(name="refresh", arguments=("refresh", "--yes"))
DESTROY = Step(name="destroy", arguments=("destroy", "--yes", "--skip-preview"))
STEPS = (UP, AGAIN, PREVIEW, REFRESH, DESTROY)
# One stack of many services, on phones that are a swarm already.
PREVIEW_STACK = Step(name="preview of a stack to come", arguments=PREVIEW.arguments)
UP_STACK = Step(name="up of that stack", arguments=UP.arguments)
PREVIEW_KEPT = Step(name="preview of that stack, nothing to change", arguments=PREVIEW.arguments)


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """``folder`` holds configuration and state; ``name`` is the lab's."""

    name: str
    folder: Path

    @property
    def names(self) -> Lab:
        return Lab(name=self.name)

    @property
    def config(self) -> Path:
        return self.folder / "Pulumi.dev.yaml"

    def bare(self, phones: int) -> None:
        """So many phones that nobody has touched, their configuration, and an empty state."""
        self.gone()
        self._lab("up", str(phones))
        own = yaml.safe_load(self._lab("config", str(phones)))["config"]
        self._write(own)

    def nowhere(self, phones: int) -> None:
        """The configuration of phones that do not exist, and an empty state."""
        own = yaml.safe_load(self._lab("config", "4"))["config"]
        host, port = NOWHERE
        own["cloudlet:phones"] = {
            f"phone-{number}": {
                "address": f"10.213.0.{number}",
                "role": "manager" if number <= 3 else "worker",
                "ssh": {"host": host, "port": port + number},
            }
            for number in range(1, phones + 1)
        }
        self._write(own)

    def deploy(self, services: int) -> None:
        """Adds a stack of so many services of one small task each to the configuration."""
        given = yaml.safe_load((ROOT / STACK_FILE).read_text())
        service = {**given["x-service"], "deploy": {"resources": {"limits": {"memory": "32M"}}}}
        names = [f"service-{number}" for number in range(1, services + 1)]
        stack = self.folder / "many.yml"
        stack.write_text(yaml.safe_dump({"services": dict.fromkeys(names, service)}))
        self._stacks({"many": {"file": str(stack)}})

    def without_stacks(self) -> None:
        """Takes all stacks out of the configuration."""
        self._stacks({})

    def gone(self) -> None:
        """No phone is left; images stay, as they would in a registry."""
        self._lab("down", "--keep-images")

    def pulumi(self, step: Step) -> Measured:
        """One step; raises RuntimeError with what was printed where it fails."""
        command = [sys.executable, "-m", "toolchain", "pulumi", "--", *step.arguments]
        options = ["--stack", "dev", "--non-interactive", "--config-file", str(self.config)]
        done = measure([*command, *options], ROOT, self.environment())
        if done.status != 0:
            raise RuntimeError(f"{step.name} failed:\n{done.output}")
        return done

    def environment(self) -> Mapping[str, str]:
        """Pulumi's state is in the folder; the secrets in the dev lab's file are read."""
        return os.environ | {
            "PULUMI_BACKEND_URL": f"file://{self.folder}/state",
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(ROOT / "lab" / "passphrase"),
        }

    def _stacks(self, stacks: Mapping[str, Any]) -> None:
        values = yaml.safe_load(self.config.read_text())
        values["config"]["cloudlet:stacks"] = stacks
        self.config.write_text(yaml.safe_dump(values, sort_keys=False))

    def _write(self, own: Mapping[str, Any]) -> None:
        state = self.folder / "state"
        shutil.rmtree(state, ignore_errors=True)
        state.mkdir(parents=True)
        values = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
        values["config"] |= own
        values["config"]["cloudlet:stacks"] = {"bench": {"file": STACK_FILE}}
        self.config.write_text(yaml.safe_dump(values, sort_keys=False))

    def _lab(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "lab", "--name", self.name, *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"lab {' '.join(arguments)} failed:\n{done.stderr}")
        return done.stdout


def life(cluster: Cluster, phones: int, tell: Callable[[str], None]) -> dict[str, Measured]:
    """From bare phones to none, each step measured, by its name."""
    cluster.bare(phones)
    found: dict[str, Measured] = {}
    for step in STEPS:
        found[step.name] = done = cluster.pulumi(step)
        tell(f"{phones} phones, {step.name}: {done.seconds:.1f} s, {done.peak_mb:.0f} MB")
    return found


def many(
    cluster: Cluster, services: int, runs: int, tell: Callable[[str], None]
) -> list[tuple[str, Measured]]:
    """A stack of many services planned and brought up on four phones, each step so often."""
    cluster.bare(4)
    cluster.without_stacks()
    cluster.pulumi(UP)
    found: list[tuple[str, Measured]] = []
    for _ in range(runs):
        cluster.deploy(services)
        for step in (PREVIEW_STACK, UP_STACK, PREVIEW_KEPT):
            done = cluster.pulumi(step)
            found.append((f"{step.name}, {services} services", done))
            tell(f"{found[-1][0]}: {done.seconds:.1f} s, {done.peak_mb:.0f} MB")
        cluster.without_stacks()
        cluster.pulumi(UP)
    return found
