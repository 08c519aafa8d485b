"""The images of the lab's own machines: the phone and the registry.

Tags carry a fingerprint of what the image is made of, so an older container can be told. Built
images are kept as archives in .cloudlet/cache, because `lab down` removes them from the engine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

from lab.base import ensure_base
from lab.docker import Docker
from lab.system import STATE, Log

HERE = Path(__file__).parent
CACHE = STATE / "cache" / "images"


def fingerprint(folder: Path) -> str:
    """Changes with any file in the folder: its path, content or mode."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            name = path.relative_to(folder).as_posix()
            digest.update(f"{name}\0{path.stat().st_mode & 0o111:o}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def phone_tag() -> str:
    """The local tag of the phone image as its files are now."""
    return f"cloudlet-lab/phone:{fingerprint(HERE / 'phone')}"


def registry_tag() -> str:
    """The local tag of the registry image as its files are now."""
    return f"cloudlet-lab/registry:{fingerprint(HERE / 'registry_image')}"


def ensure_phone(docker: Docker, log: Log) -> str:
    """Have the phone image; returns its tag."""
    return _ensure(docker, log, phone_tag(), HERE / "phone", "phone image")


def ensure_registry(docker: Docker, log: Log) -> str:
    """Have the registry image; returns its tag."""
    return _ensure(docker, log, registry_tag(), HERE / "registry_image", "registry image")


def _ensure(docker: Docker, log: Log, tag: str, folder: Path, what: str) -> str:
    def build() -> None:
        log(f"{what}: building it (about half a minute)")
        proxies = [
            f"{name}={docker.system.environment(name)}"
            for name in ("http_proxy", "https_proxy", "no_proxy")
            if docker.system.environment(name)
        ]
        base = ensure_base(docker, log)
        docker.build(tag, str(folder), log, [f"BASE={base}", *proxies], what=what)

    ensure_cached(docker, log, tag, what, build)
    return tag


def ensure_cached(docker: Docker, log: Log, tag: str, what: str, build: Callable[[], None]) -> None:
    """Have the image `tag`: in the engine already, from the archive, or built and archived."""
    name, version = tag.replace("/", "-").split(":")
    archive = CACHE / f"{name}-{version}.tar"
    if not docker.has_image(tag) and archive.exists():
        log(f"{what}: loading it from {archive.relative_to(STATE.parent)}")
        if not docker.try_run("load", f"--input={archive}").ok:
            archive.unlink()
    if not docker.has_image(tag):
        build()
    if not archive.exists():
        log(f"{what}: keeping it in {CACHE.relative_to(STATE.parent)} for the next time")
        # Also what docker left of an archive when it was killed.
        _store(docker, tag, archive, CACHE.glob(f"*{name}-*"))


def _store(docker: Docker, tag: str, archive: Path, older: Iterable[Path]) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    for each in older:
        each.unlink()
    # Whole or not at all: a half archive would be taken for the image.
    part = archive.with_suffix(".part")
    docker.run("save", f"--output={part}", tag)
    part.rename(archive)
