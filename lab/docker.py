"""The docker command, with errors that a person can read."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lab.errors import LabError
from lab.kinds import Kind, parse
from lab.names import KIND_LABEL, LABEL
from lab.system import Completed, Log, System


@dataclass(frozen=True, kw_only=True)
class Container:
    """What `docker ps` tells. `image` is the reference it was made from, `kind` a phone's."""

    name: str
    image: str
    running: bool
    status: str
    kind: Kind


@dataclass(frozen=True, kw_only=True)
class Docker:
    """`command` is docker itself, or sudo and docker where only root may use the engine."""

    command: tuple[str, ...] = ("docker",)
    system: System = field(default_factory=System)

    def try_run(
        self, *arguments: str, stdin: bytes | None = None, timeout: float | None = None
    ) -> Completed:
        return self.system.run([*self.command, *arguments], stdin=stdin, timeout=timeout)

    def run(self, *arguments: str, stdin: bytes | None = None) -> str:
        """Its output. Raises LabError with docker's own last line."""
        done = self.try_run(*arguments, stdin=stdin)
        if not done.ok:
            raise LabError(f"docker {arguments[0]} failed: {done.last_line}")
        return done.out

    def build(
        self, tag: str, folder: str, log: Log, arguments: Sequence[str] = (), *, what: str
    ) -> None:
        """Build an image, telling its steps."""

        def each_line(line: str) -> None:
            if line.startswith("Step "):
                log(f"{what}: {line.split(' :', maxsplit=1)[0].lower()}")

        # The classic builder leaves no build cache behind, which `lab down` could not find again.
        done = self.system.stream(
            [
                *(self.command[:-1]),
                "env",
                "DOCKER_BUILDKIT=0",
                self.command[-1],
                "build",
                f"--tag={tag}",
                *(f"--build-arg={each}" for each in arguments),
                folder,
            ],
            each_line,
        )
        if not done.ok:
            raise LabError(f"{what} could not be built: {done.last_line}")

    def has_image(self, reference: str) -> bool:
        return self.try_run("image", "inspect", "--format={{.Id}}", reference).ok

    def containers(self, *filters: str) -> list[Container]:
        """All containers that match, running or not."""
        listed = self.run(
            "ps", "--all", *(f"--filter={each}" for each in filters), "--format={{json .}}"
        )
        rows: list[dict[str, Any]] = [json.loads(line) for line in listed.splitlines()]
        return [
            Container(
                name=row["Names"],
                image=row["Image"],
                running=row["State"] == "running",
                status=row["Status"],
                kind=_kind(row["Labels"]),
            )
            for row in rows
        ]

    def of_lab(self, name: str) -> dict[str, Container]:
        """A lab's containers by name."""
        return {each.name: each for each in self.containers(f"label={LABEL}={name}")}

    def networks(self) -> dict[str, list[str]]:
        """IPv4 subnets of every network of the engine, by the network's name."""
        names = self.run("network", "ls", "--format={{.Name}}").split()
        found: dict[str, list[str]] = {}
        for each in json.loads(self.run("network", "inspect", *names)) if names else []:
            configs = (each.get("IPAM") or {}).get("Config") or []
            subnets = [config.get("Subnet", "") for config in configs]
            found[each["Name"]] = [subnet for subnet in subnets if "." in subnet]
        return found


def _kind(labels: str) -> Kind:
    # A comma in a label's value could not be told from the next label.
    match = re.search(rf"(?:^|,){re.escape(KIND_LABEL)}=([^,]*)", labels)
    return parse(match[1].replace("+", ",")) if match else Kind()
