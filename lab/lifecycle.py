"""Bring a lab up, take it down, switch its phones on and off, replace one.

Every step looks first and acts only where something is missing, so that a command that was killed
is simply run again.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from lab import arguments, kinds, machine_images, ports, registry, ssh
from lab.docker import Container, Docker
from lab.engine import Engine
from lab.errors import LabError
from lab.kinds import Kind
from lab.names import LABEL, REGISTRY_PUSH_PORT, Lab, Phone
from lab.system import CHECKOUT, STATE, Log

T = TypeVar("T")

_BOOT_SECONDS = 90


@dataclass(frozen=True, kw_only=True)
class Lifecycle:
    """The commands on one lab."""

    lab: Lab
    engine: Engine
    log: Log

    def up(self, count: int, wanted_kinds: Mapping[str, Kind] | None = None) -> None:
        """`count` phones run and the registry holds what they will pull. More phones may exist.

        `wanted_kinds`: by phone; the others are of the default kind, or what they are already.
        """
        kind_of = dict(wanted_kinds or {})
        wanted = self.lab.phones(count)
        for name in kind_of:
            if self.lab.phone_named(name) not in wanted:
                raise LabError(f"--kind {name}: the lab is to have {count} phones only")
        docker = self.engine.ensure()
        there = docker.of_lab(self.lab.name)
        kinds.require_same(
            kind_of,
            {each.name: there[each.container].kind for each in wanted if each.container in there},
        )
        self._report(wanted, there)
        ssh.ensure_key(self.folder, self.lab.name)
        off = [each for each in wanted if not _runs(there.get(each.container))]
        registry_off = not _runs(there.get(self.lab.registry))
        self._require_ports(docker, off, *([REGISTRY_PUSH_PORT] if registry_off else []))
        self._ensure_network(docker)
        new = [each for each in off if each.container not in there]
        if new:
            machine_images.ensure_phone(docker, self.log)
        if self.lab.registry not in there:
            machine_images.ensure_registry(docker, self.log)
        if registry_off:
            self._start_registry(docker, there)
        if off:
            self.log(f"starting {', '.join(each.name for each in off)}")
            if new:
                self._create(docker, new, kind_of)
            old = [each.container for each in off if each not in new]
            _each(old, lambda container: docker.run("start", container))
            _each(off, self._wait)
        registry.fill(docker, self.lab, self.log)
        if off or registry_off:
            self.log(f"lab {self.lab.name} is up: {count} phones")
        else:
            self.log(f"lab {self.lab.name} was up already: {count} phones")

    def down(self, *, keep_images: bool) -> None:
        """Nothing of this lab is left; the last lab also takes images and own engine with it."""
        docker = self.engine.find()
        if docker is not None:
            self._remove(docker, keep_images=keep_images)
        shutil.rmtree(self.folder, ignore_errors=True)
        if not self.engine.is_own():
            return
        if docker is not None and docker.containers("status=running"):
            self.log("the Docker engine that the lab started goes on: containers run in it")
        else:
            self.log("stopping the Docker engine that the lab started")
            self.engine.stop_own()

    def stop(self, name: str) -> None:
        """Switch a phone off, as its power button does."""
        docker, phone = self.existing(name)
        self.log(f"switching {phone.name} off")
        docker.run("stop", phone.container)

    def start(self, name: str) -> None:
        """Switch a phone on and wait until it answers."""
        docker, phone = self.existing(name)
        there = docker.of_lab(self.lab.name)
        if not _runs(there[phone.container]):
            self._require_ports(docker, [phone])
            self.log(f"switching {phone.name} on")
            docker.run("start", phone.container)
        self._wait(phone)

    def reboot(self, name: str) -> None:
        """Restart a phone, as `reboot` on it does, and wait until it answers again."""
        docker, phone = self.existing(name, running=True)
        self.log(f"rebooting {phone.name}")
        before = _started(docker, phone)
        docker.run("exec", phone.container, "reboot")
        deadline = time.monotonic() + _BOOT_SECONDS
        while _started(docker, phone) == before:
            if time.monotonic() > deadline:
                raise LabError(
                    f"{phone.name} did not go down within {_BOOT_SECONDS} s: "
                    f"docker logs {phone.container} tells more"
                )
            time.sleep(0.2)
        self._wait(phone)

    def replace(self, name: str, kind: Kind | None = None) -> None:
        """Another machine with the same address: nothing of the old one is left but its kind."""
        docker, phone = self.existing(name)
        kind = kind or docker.of_lab(self.lab.name)[phone.container].kind
        self.log(f"replacing {phone.name} by a blank machine of the kind {kind}")
        machine_images.ensure_phone(docker, self.log)
        docker.run("rm", "--force", "--volumes", phone.container)
        docker.run("volume", "rm", "--force", phone.volume)
        self._require_ports(docker, [phone])
        self._create(docker, [phone], {phone.name: kind})
        self._wait(phone)

    @property
    def folder(self) -> Path:
        """Where this lab's own files are."""
        return STATE / "labs" / self.lab.name

    def existing(self, name: str, *, running: bool = False) -> tuple[Docker, Phone]:
        """The engine and a phone of this lab; raises LabError if there is none, or it is off."""
        phone = self.lab.phone_named(name)
        docker = self.engine.find()
        there = docker.of_lab(self.lab.name) if docker is not None else {}
        if docker is None or phone.container not in there:
            raise LabError(
                f"lab {self.lab.name} has no {name}: `python -m lab --name {self.lab.name} up N` "
                "makes its phones"
            )
        if running and not there[phone.container].running:
            raise LabError(f"{name} is off: `python -m lab --name {self.lab.name} start {name}`")
        return docker, phone

    def _report(self, wanted: list[Phone], there: dict[str, Container]) -> None:
        tag = machine_images.phone_tag()
        for phone in wanted:
            found = there.get(phone.container)
            if found is not None and found.image != tag:
                self.log(
                    f"{phone.name} was made from an older image ({found.image}): `python -m lab "
                    f"--name {self.lab.name} replace {phone.name}` makes it anew"
                )

    def _require_ports(self, docker: Docker, phones: Iterable[Phone], *more: int) -> None:
        needed = [port for phone in phones for port in phone.ports]
        ports.require_free(docker, self.lab.loopback, [*needed, *more])

    def _ensure_network(self, docker: Docker) -> None:
        networks = docker.networks()
        if self.lab.network in networks:
            return
        for other in arguments.colliding(self.lab.subnet, networks):
            raise LabError(
                f"the Docker network {other} has addresses of the lab's subnet {self.lab.subnet}: "
                f"remove it (docker network rm {other}) or use another lab name (--name)"
            )
        docker.run(*arguments.network(self.lab))

    def _start_registry(self, docker: Docker, there: dict[str, Container]) -> None:
        if self.lab.registry in there:
            docker.run("start", self.lab.registry)
            return
        storage = STATE / "cache" / "registry"
        storage.mkdir(parents=True, exist_ok=True)
        owner = CHECKOUT.stat()
        os.chown(storage, owner.st_uid, owner.st_gid)
        docker.run(
            *arguments.registry(
                self.lab,
                machine_images.registry_tag(),
                str(storage),
                f"{owner.st_uid}:{owner.st_gid}",
            )
        )

    def _create(self, docker: Docker, phones: list[Phone], kind_of: Mapping[str, Kind]) -> None:
        image = machine_images.ensure_phone(docker, self.log)
        capabilities = _capabilities(docker, image)

        def create(phone: Phone) -> None:
            kind = kind_of.get(phone.name, Kind())
            run = arguments.phone(self.lab, phone, kind, image, capabilities)
            self._run(docker, phone, run)

        _each(phones, create)

    def _run(self, docker: Docker, phone: Phone, run: list[str]) -> None:
        docker.run(*arguments.volume(self.lab, phone))
        try:
            docker.run(*run)
        except LabError:
            # A container that was made but could not start would pass for a phone later.
            docker.try_run("rm", "--force", phone.container)
            raise

    def _wait(self, phone: Phone) -> None:
        began = time.monotonic()
        if not ssh.answers(self.lab.loopback, phone.ssh_port, _BOOT_SECONDS):
            raise LabError(
                f"{phone.name} did not answer on SSH ({self.lab.loopback}:{phone.ssh_port}) within "
                f"{_BOOT_SECONDS} s: docker logs {phone.container} tells more"
            )
        self.log(f"{phone.name} answers after {time.monotonic() - began:.1f} s")

    def _remove(self, docker: Docker, *, keep_images: bool) -> None:
        mine = f"label={LABEL}={self.lab.name}"
        containers = sorted(docker.of_lab(self.lab.name))
        if containers:
            self.log(f"removing {len(containers)} containers of lab {self.lab.name}")
            _each(containers, lambda name: docker.run("rm", "--force", "--volumes", name))
        volumes = docker.run("volume", "ls", "--quiet", f"--filter={mine}").split()
        if volumes:
            docker.run("volume", "rm", "--force", *volumes)
        networks = docker.run("network", "ls", "--quiet", f"--filter={mine}").split()
        if networks:
            docker.run("network", "rm", *networks)
        if not keep_images and not docker.containers(f"label={LABEL}"):
            registry.remove_images(docker, self.log)


def _capabilities(docker: Docker, image: str) -> Sequence[str]:
    trouble = ""
    for capabilities in arguments.CAPABILITIES:
        probed = docker.try_run(*arguments.probe(image, capabilities))
        if probed.ok:
            return capabilities
        trouble = probed.last_line
    raise LabError(f"this machine's Docker can't run a simulated phone: {trouble}")


def _started(docker: Docker, phone: Phone) -> str:
    return docker.run("inspect", "--format={{.State.StartedAt}}", phone.container)


def _runs(container: Container | None) -> bool:
    return container is not None and container.running


def _each(items: Iterable[T], action: Callable[[T], object]) -> None:
    """All at once; raises LabError with the lines of all that failed."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        futures = [pool.submit(action, item) for item in items]
    failed = [error for future in futures if (error := future.exception()) is not None]
    for error in failed:
        if not isinstance(error, LabError):
            raise error
    if failed:
        raise LabError("\n".join(str(error) for error in failed))
