"""Builds one image for several architectures on this machine, by whichever builder it has.

``docker buildx`` where Docker with it runs here, else buildah. Neither needs an account anywhere,
and none is given an argument's value on its command line, where everybody could read it.
"""

from __future__ import annotations

import json
import os
import platform as machine
import re
import shutil
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from .architecture import runs
from .scratch import scratch

BUILD_SECONDS = 3600.0
_ASK_SECONDS = 20.0
# The image of buildx's own builder is pulled once.
_BOOT_SECONDS = 300.0
_LAST_LINES = 12
_BUILDX = "cloudlet"
_PLATFORM = ("os", "architecture", "variant")
# How a kernel says that a program is for another processor.
_FOREIGN = re.compile(r"exec format error", re.IGNORECASE)
# Nobody reads of these twice.
_STEP = re.compile(r"(\[[a-z0-9/]+\] )?STEP [0-9]+/[0-9]+: |#[0-9]+ \[.*[0-9]+/[0-9]+\] ")

Tell = Callable[[str], None]


class BuildError(Exception):
    """An image could not be built; the text is for a person, the builder's last lines in it."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be built: a folder and a Dockerfile of this machine, for ``platforms``.

    ``args`` may hold secrets. ``ignore`` is the file that tells what of the folder does not count.
    """

    folder: Path
    dockerfile: Path
    platforms: Sequence[str]
    ignore: Path | None = None
    target: str = ""
    args: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)


@dataclass(frozen=True, kw_only=True)
class Ways:
    """Ports of this machine: ``push`` leads to the lab's registry, ``cache`` to its cache of
    Docker Hub, from which an image is built; without one, Docker Hub itself is asked."""

    push: int
    cache: int | None = None


@dataclass(frozen=True, kw_only=True)
class Buildah:
    """Debian's builder: needs no service, and pushes what it built."""

    name = "buildah"

    def push(self, order: Order, reference: str, ways: Ways, tell: Tell) -> None:
        """Builds and pushes; ``reference`` is a repository and a tag.

        Raises:
            BuildError: it could not be built or pushed.
        """
        made = f"localhost/cloudlet/{reference}"
        with scratch() as folder:
            registries = folder / "registries.conf"
            registries.write_text(_registries(ways), encoding="utf-8")
            environment = {
                "CONTAINERS_REGISTRIES_CONF": str(registries),
                **order.args,
            }

            def run(*command: str) -> None:
                _run(self.name, command, environment, order.platforms, tell)

            def forget() -> None:
                _quietly(["buildah", "manifest", "rm", made])

            # A list of that name, which a run that was killed left, would be added to.
            forget()
            build = _buildah_build(order, made)
            try:
                run(*build)
                if not _as_asked(made, order.platforms):
                    forget()
                    run(*build[:-1], "--no-cache", build[-1])
                run(
                    # With --digestfile it ends well where the push has failed (1.28).
                    *("buildah", "manifest", "push", "--all", "--tls-verify=false", made),
                    f"docker://127.0.0.1:{ways.push}/{reference}",
                )
            finally:
                forget()


def _as_asked(made: str, platforms: Sequence[str]) -> bool:
    """Whether each build in the list says that it is for what it was made for.

    FROM scratch, buildah takes layers of another processor's build out of its cache (1.28), and
    that processor's variant with them: no phone would take "amd64, v7" for its own.
    """
    shown = subprocess.run(
        ["buildah", "manifest", "inspect", made], capture_output=True, text=True, check=False
    )
    try:
        told = [each["platform"] for each in json.loads(shown.stdout)["manifests"]]
    except (ValueError, KeyError):
        return True
    found = ["/".join(filter(None, map(each.get, _PLATFORM))) for each in told]
    # Every arm64 is v8, said or not.
    return sorted(each.replace("arm64/v8", "arm64") for each in found) == sorted(platforms)


def _buildah_build(order: Order, made: str) -> list[str]:
    return [
        *("buildah", "build", "--layers"),
        # Needs no runtime and no cgroups of its own, so it works in a container, too.
        "--isolation=chroot",
        # OCI's has no place for a HEALTHCHECK.
        "--format=docker",
        f"--manifest={made}",
        f"--platform={','.join(order.platforms)}",
        f"--file={order.dockerfile}",
        *([f"--ignorefile={order.ignore}"] if order.ignore else []),
        *([f"--target={order.target}"] if order.target else []),
        *(f"--build-arg={name}" for name in order.args),
        str(order.folder),
    ]


def _registries(ways: Ways) -> str:
    """Docker's own rule for a name without a registry, and where Docker Hub's images are had."""
    lines = [
        'unqualified-search-registries = ["docker.io"]',
        'short-name-mode = "disabled"',
        "[[registry]]",
        'location = "docker.io"',
    ]
    if ways.cache is not None:
        lines += [
            "[[registry.mirror]]",
            f'location = "127.0.0.1:{ways.cache}"',
            "insecure = true",
        ]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, kw_only=True)
class Buildx:
    """Docker's builder, which leaves an archive; ``upload`` puts that into the registry.

    It works in a container, for which this machine's ports are not always its own.
    """

    upload: Callable[[Path, str], object]
    name = "docker buildx"

    def push(self, order: Order, reference: str, ways: Ways, tell: Tell) -> None:
        """As :meth:`Buildah.push`."""
        del ways
        with scratch() as folder:
            archive = folder / "image.tar"
            command = [
                *("docker", "buildx", "build", f"--builder={_BUILDX}", "--progress=plain"),
                # What describes a build would stand in the list as of an unknown platform.
                *("--provenance=false", "--sbom=false"),
                f"--platform={','.join(order.platforms)}",
                f"--file={order.dockerfile}",
                *([f"--target={order.target}"] if order.target else []),
                *(f"--build-arg={name}" for name in order.args),
                f"--output=type=oci,dest={archive}",
                str(order.folder),
            ]
            _run(self.name, command, order.args, order.platforms, tell)
            self.upload(archive, reference)


def find(upload: Callable[[Path, str], object], tell: Tell) -> Buildah | Buildx:
    """The builder of this machine; ``upload`` puts an OCI archive into the registry.

    Raises:
        BuildError: it has none.
    """
    has_buildx = _quietly(["docker", "buildx", "version"]) and _quietly(["docker", "info"])
    why = _start_buildx() if has_buildx else ""
    if has_buildx and not why:
        return Buildx(upload=upload)
    if shutil.which("buildah"):
        if why:
            tell(f"{why}; buildah builds instead")
        return Buildah()
    if shutil.which("apt-get"):
        how = "sudo apt-get install buildah"
    elif has_buildx:
        how = "let Docker pull that, or install buildah"
    else:
        how = "install Docker with its buildx plugin, or buildah"
    raise BuildError(f"{why or 'nothing on this machine builds images'}; {how}")


def _start_buildx() -> str:
    """Starts buildx's own builder, whichever somebody made under the name, else one in a container;
    why there is none, if so."""
    if not _quietly(["docker", "buildx", "inspect", _BUILDX]):
        _quietly(["docker", "buildx", "create", f"--name={_BUILDX}", "--driver=docker-container"])
    try:
        done = subprocess.run(
            ["docker", "buildx", "inspect", "--bootstrap", _BUILDX],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_BOOT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        why = f"it is not there after {_BOOT_SECONDS:.0f} s"
    else:
        if done.returncode == 0:
            return ""
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        why = lines[-1].removeprefix("ERROR: ") if lines else "it says nothing"
    return f"{Buildx.name} cannot start its builder, the image moby/buildkit ({why})"


def emulation(platforms: Sequence[str], by: str) -> str:
    """What makes this machine run programs of ``platforms`` that are not its own; else nothing."""
    foreign = [each for each in platforms if not runs(machine.machine(), each)]
    if not foreign:
        return ""
    if by == Buildah.name and shutil.which("apt-get"):
        how = "sudo apt-get install qemu-user-static"
    else:
        processors = sorted({each.split("/")[1] for each in foreign})
        how = f"docker run --privileged --rm tonistiigi/binfmt --install {','.join(processors)}"
    return f"This machine cannot run programs for {', '.join(foreign)}, as a RUN needs: {how}"


def _run(
    by: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    platforms: Sequence[str],
    tell: Tell,
) -> None:
    """A command whose steps are told, and whose last lines are the error where it fails."""
    last: deque[str] = deque(maxlen=_LAST_LINES)
    foreign = False
    with subprocess.Popen(
        command,
        env=os.environ | {"BUILDKIT_COLORS": "", "NO_COLOR": "1"} | dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        bound = threading.Timer(BUILD_SECONDS, process.kill)
        bound.start()
        try:
            for line in filter(str.strip, process.stdout):
                last.append(line.rstrip())
                foreign = foreign or _FOREIGN.search(line) is not None
                if _STEP.match(line):
                    tell(line.rstrip())
        finally:
            bound.cancel()
    if process.returncode != 0:
        words = [f"{by} failed. Its last lines:", *(f"  {line}" for line in last)]
        if foreign and (advice := emulation(platforms, by)):
            words.append(advice)
        raise BuildError("\n".join(words))


def _quietly(command: Sequence[str]) -> bool:
    """Whether a command ends well within moments."""
    with suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_ASK_SECONDS,
            check=False,
        )
        return done.returncode == 0
    return False
