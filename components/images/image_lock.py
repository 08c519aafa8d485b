"""Which build each image's tag means, as ``make lock`` wrote it down. Pure.

With it a plan asks no registry, and a tag that somebody pushed anew changes nothing until the
lock file does, in a commit that can be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import yaml

from .image_names import familiar

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_REMEDY = "write it anew with `make lock`"
_HEAD = """\
# Which build each tag means, written by `make lock`. Commit it; `make lock` again takes up what
# the tags mean then.
"""


class LockError(Exception):
    """A lock file that cannot be used; the text says what to do."""


@dataclass(frozen=True, kw_only=True)
class Locked:
    """``digest`` is that of the image's manifest or index, ``platforms`` are its builds."""

    digest: str
    platforms: tuple[str, ...]


Lock = Mapping[str, Locked]


def read(text: str, *, source: str) -> dict[str, Locked]:
    """The lock that a file holds, by the images' names as Docker writes them.

    Raises:
        LockError: the file was not written by :func:`write`, or was damaged since.
    """
    try:
        document: object = yaml.safe_load(text) or {}
    except yaml.YAMLError:
        raise LockError(f"{source}: is not YAML; {_REMEDY}") from None
    if not isinstance(document, dict):
        raise LockError(f"{source}: is no lock file; {_REMEDY}")
    found: dict[str, Locked] = {}
    for image, entry in cast("dict[object, object]", document).items():
        known = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {}
        digest, platforms = known.get("digest"), known.get("platforms")
        if (
            not isinstance(digest, str)
            or not _DIGEST.fullmatch(digest)
            or not isinstance(platforms, list)
        ):
            raise LockError(
                f"{source}: {image}: must have a digest (sha256:…) and a list of platforms; "
                f"{_REMEDY}"
            )
        builds = tuple(str(build) for build in cast("list[object]", platforms))
        found[str(image)] = Locked(digest=digest, platforms=builds)
    return found


def write(lock: Lock) -> str:
    """The file for a lock, in the order of the images' names."""
    document = {
        image: {"digest": lock[image].digest, "platforms": list(lock[image].platforms)}
        for image in sorted(lock)
    }
    return _HEAD + yaml.safe_dump(document, sort_keys=False, default_flow_style=False)


def find(lock: Lock, image: str) -> Locked | None:
    """The entry of an image as a compose file names it."""
    return lock.get(familiar(image))


def missing(lock: Lock, images: Iterable[str]) -> set[str]:
    """Those of ``images`` that the lock should have: an image with a digest needs no entry."""
    named = {familiar(image) for image in images}
    return {image for image in named if "@" not in image and image not in lock}
