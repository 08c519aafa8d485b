"""What an image is built from, as it lies on this machine: found, and told by one digest."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pathspec import PathSpec
from pathspec.pattern import Pattern

from components.compose import Build

from .dockerfile import mistake

# Change it when the same context is to be built anew.
_FORMAT = "1"
_BLOCK = 1 << 20


class ContextError(Exception):
    """Nothing can be built from this; the text goes on from the service's ``build``."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """``ignore`` is the file that says what of the folder does not count; ``None`` without one.

    ``digest`` changes with whatever may change the image: what counts of the folder, the
    Dockerfile, and how it is built. It is slow to make where arguments, which may be secret,
    are in it.
    """

    folder: Path
    dockerfile: Path
    ignore: Path | None
    digest: str


def find(build: Build, beside: Path) -> Context:
    """The context of ``build``, seen from the folder of its compose file.

    Raises:
        ContextError: folder or Dockerfile is missing or cannot be right, or something cannot be
            read.
    """
    folder = beside / Path(build.context).expanduser()
    if not folder.is_dir():
        raise ContextError(f'there is no folder "{build.context}"; paths start at the compose file')
    dockerfile = folder / build.dockerfile
    if not dockerfile.is_file():
        raise ContextError(
            f'there is no file "{build.dockerfile}" in "{build.context}"; write one, or '
            "dockerfile: and its name"
        )
    own = dockerfile.with_name(f"{dockerfile.name}.dockerignore")
    ignore = next((each for each in (own, folder / ".dockerignore") if each.is_file()), None)
    try:
        digest = _digest(build, folder, dockerfile, ignore)
        wrong = _mistake(dockerfile, build.target)
    except (OSError, UnicodeDecodeError) as error:
        name = getattr(error, "filename", None) or str(ignore)
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ContextError(f"{name} cannot be read: {reason}") from None
    if wrong:
        raise ContextError(f'"{build.dockerfile}" in "{build.context}" {wrong}')
    return Context(folder=folder, dockerfile=dockerfile, ignore=ignore, digest=digest)


def _mistake(dockerfile: Path, target: str) -> str:
    # buildah has a preprocessor make a Dockerfile of such a file.
    if dockerfile.suffix == ".in":
        return ""
    return mistake(dockerfile.read_text(encoding="utf-8", errors="replace"), target)


def _digest(build: Build, folder: Path, dockerfile: Path, ignore: Path | None) -> str:
    digest = hashlib.sha256()
    head = [_FORMAT, build.dockerfile, build.target, _slow(build.args)]
    digest.update(json.dumps(head).encode())
    digest.update(_content(dockerfile))
    patterns = ignored(ignore.read_text(encoding="utf-8") if ignore else "")
    for path, entry in sorted(_entries(folder, patterns)):
        digest.update(f"{path}\0".encode(errors="surrogateescape"))
        digest.update(_what_it_is(entry))
    return digest.hexdigest()


def _slow(args: object) -> str:
    if not args:
        return ""
    text = json.dumps(args, sort_keys=True, default=dict)
    return hashlib.pbkdf2_hmac("sha256", text.encode(), b"build", 100_000).hex()


def ignored(text: str) -> PathSpec[Pattern]:
    """The patterns of a ``.dockerignore``: as of a ``.gitignore``, but each from the top.

    The last one that meets a path or a folder above it decides.
    """
    lines: list[str] = []
    for line in map(str.strip, text.removeprefix("\ufeff").splitlines()):
        pattern = line.removeprefix("!").strip()
        if line.startswith("#") or not pattern:
            continue
        cleaned = os.path.normpath(pattern).lstrip("/")
        if cleaned != ".":
            lines.append(("!" if line.startswith("!") else "") + f"/{cleaned}")
    return PathSpec.from_lines("gitignore", lines)


def _entries(folder: Path, patterns: PathSpec[Pattern]) -> Iterator[tuple[str, Path]]:
    """Everything in the folder that counts, by its path from there."""
    exceptions = any(pattern.include is False for pattern in patterns.patterns)
    for place, folders, files in os.walk(folder, onerror=_raise):
        here = Path(place)
        kept = _kept(here.relative_to(folder), folders, patterns)
        for name in [*kept, *_kept(here.relative_to(folder), files, patterns)]:
            yield (here / name).relative_to(folder).as_posix(), here / name
        if not exceptions:
            folders[:] = kept


def _kept(place: Path, names: Iterable[str], patterns: PathSpec[Pattern]) -> list[str]:
    return [
        name
        for name in names
        if not patterns.match_file(str(PurePosixPath(place.as_posix(), name)))
    ]


def _raise(error: OSError) -> None:
    raise error


def _what_it_is(path: Path) -> bytes:
    if path.is_symlink():
        return f"link {path.readlink()}".encode(errors="surrogateescape")
    if path.is_file():
        run = bool(path.stat().st_mode & 0o100)
        return f"file {run} ".encode() + _content(path)
    return b"folder"


def _content(path: Path) -> bytes:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.digest()
