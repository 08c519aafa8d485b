"""Local tags that change whenever what is in the image does."""

from __future__ import annotations

import hashlib
from pathlib import Path

from lab.images.catalogue import HERE, GoImage, Image

_RECIPES = ("catalogue.py", "archive.py", "compiling.py")


def local_name(reference: str) -> str:
    """The repository in which the lab keeps its own image of a public reference."""
    return f"cloudlet-lab/{reference.rsplit(':', 1)[0].rsplit('/', 1)[-1]}"


def pulled_tag(reference: str) -> str:
    """The local tag of the public image itself."""
    return f"{local_name(reference)}:{reference.rsplit(':', 1)[-1]}"


def stand_in_tag(image: Image, architecture: str) -> str:
    """The local tag of what stands in for it, for one architecture in Docker's words."""
    digest = hashlib.sha256(f"{image.reference}\0{architecture}\0".encode())
    digest.update(content_hash(image.folder).encode())
    if isinstance(image, GoImage):
        for name in _RECIPES:
            digest.update((HERE / name).read_bytes())
    return f"{local_name(image.reference)}:{digest.hexdigest()[:12]}"


def content_hash(folder: Path) -> str:
    """Changes with any file in the folder that can reach an image: its path, content or mode."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.endswith("_test.go"):
            name = path.relative_to(folder).as_posix()
            digest.update(f"{name}\0{path.stat().st_mode & 0o100:o}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
