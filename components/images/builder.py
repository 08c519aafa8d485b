"""Builds one image for several architectures on this machine, by whichever builder it has.

``docker buildx`` where Docker with it runs here, else buildah. Neither needs an account anywhere,
and none is given a secret on its command line, where everybody could read it. What is none is given
there, so that it is no setting of the builder itself: PATH, say.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .builder_run import BUILDAH, BuildError, Tell, quietly, run
from .scratch import scratch

# The image of buildx's own builder is pulled once.
_BOOT_SECONDS = 300.0
_BUILDX = "cloudlet"
_PLATFORM = ("os", "architecture", "variant")


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be built: a folder and a Dockerfile of this machine, for ``platforms``.

    ``ignore`` is the file that tells what of the folder does not count. ``secrets`` are files that
    a ``RUN --mount=type=secret`` sees, by id. ``hidden`` are texts that nobody is to read: an
    argument may hold one.
    """

    folder: Path
    dockerfile: Path
    platforms: Sequence[str]
    ignore: Path | None = None
    target: str = ""
    args: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    secrets: Mapping[str, bytes] = field(default_factory=dict[str, bytes], repr=False)
    hidden: Sequence[str] = field(default=(), repr=False)

    def is_hidden(self, text: str) -> bool:
        """Whether a text holds one that nobody is to read."""
        return any(each in text for each in self.hidden if each)


@dataclass(frozen=True, kw_only=True)
class Ways:
    """Ports of this machine: ``push`` leads to the lab's registry, ``cache`` to its cache of
    Docker Hub, from which an image is built; without one, Docker Hub itself is asked."""

    push: int
    cache: int | None = None


@dataclass(frozen=True, kw_only=True)
class Buildah:
    """Debian's builder: needs no service, and pushes what it built."""

    name = BUILDAH

    def push(self, order: Order, reference: str, ways: Ways, tell: Tell) -> None:
        """Builds and pushes; ``reference`` is a repository and a tag.

        Raises:
            BuildError: it could not be built or pushed.
        """
        made = f"localhost/cloudlet/{reference}"
        with scratch() as folder:
            registries = folder / "registries.conf"
            registries.write_text(_registries(ways), encoding="utf-8")
            settings = {"CONTAINERS_REGISTRIES_CONF": str(registries)}

            def do(*command: str) -> None:
                _run(self.name, command, order, settings, tell)

            def forget() -> None:
                quietly(["buildah", "manifest", "rm", made])

            # A list of that name, which a run that was killed left, would be added to.
            forget()
            build = _buildah_build(order, made, folder)
            try:
                do(*build)
                if not _as_asked(made, order.platforms):
                    forget()
                    do(*build[:-1], "--no-cache", build[-1])
                do(
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


def _buildah_build(order: Order, made: str, folder: Path) -> list[str]:
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
        *_given(order, folder),
        str(order.folder),
    ]


def _given(order: Order, folder: Path) -> list[str]:
    """The options that every builder has; secrets are written into ``folder``."""
    options = [f"--target={order.target}"] if order.target else []
    for name, value in order.args.items():
        # Without a value, the builder takes that of its environment.
        options.append(f"--build-arg={name}" + ("" if order.is_hidden(value) else f"={value}"))
    for number, (name, content) in enumerate(order.secrets.items()):
        file = folder / f"secret-{number}"
        file.touch(mode=0o600)
        file.write_bytes(content)
        options.append(f"--secret=id={name},src={file}")
    return options


def _run(
    by: str, command: Sequence[str], order: Order, settings: Mapping[str, str], tell: Tell
) -> None:
    hidden = {name: value for name, value in order.args.items() if order.is_hidden(value)}
    run(
        by,
        command,
        hidden | dict(settings),
        platforms=order.platforms,
        hidden=order.hidden,
        tell=tell,
    )


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
                *_given(order, folder),
                f"--output=type=oci,dest={archive}",
                str(order.folder),
            ]
            _run(self.name, command, order, {}, tell)
            self.upload(archive, reference)


def find(upload: Callable[[Path, str], object], tell: Tell) -> Buildah | Buildx:
    """The builder of this machine; ``upload`` puts an OCI archive into the registry.

    Raises:
        BuildError: it has none.
    """
    has_buildx = quietly(["docker", "buildx", "version"]) and quietly(["docker", "info"])
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
    if not quietly(["docker", "buildx", "inspect", _BUILDX]):
        quietly(["docker", "buildx", "create", f"--name={_BUILDX}", "--driver=docker-container"])
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
