"""What an image is built from, as it lies on this machine: found, and told by one digest."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from components.compose import Build

from .dockerfile import mistake
from .ignore_file import Ignored, IgnoreError, Met, parsed

# Change it when the same context is to be built anew.
_FORMAT = "2"
_BLOCK = 1 << 20


class ContextError(Exception):
    """Nothing can be built from this; the text goes on from the service's ``build``."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """``ignore`` is the file that says what of the folder does not count; ``None`` without one.

    ``digest`` changes with whatever may change the image: what counts of the folder, the
    Dockerfile, and how it is built. Permissions count as they do for builders, so another
    checkout has another digest where its umask is another. The content of a build's secrets does
    not, as for builders. It is slow to make where arguments, which may be secret, are in it.
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
        digest = _digest(build, folder, dockerfile, _ignored(ignore))
        wrong = _mistake(dockerfile, build.target)
    except IgnoreError as error:
        assert ignore is not None
        raise ContextError(f"{_shown(ignore, folder, build)}, {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        name = getattr(error, "filename", None) or str(ignore)
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        shown = _shown(Path(name), folder, build)
        raise ContextError(f"{shown} cannot be read: {reason}") from None
    if wrong:
        raise ContextError(f'"{build.dockerfile}" in "{build.context}" {wrong}')
    return Context(folder=folder, dockerfile=dockerfile, ignore=ignore, digest=digest)


def _shown(file: Path, folder: Path, build: Build) -> str:
    return f'"{os.path.relpath(file, folder)}" in "{build.context}"'


def _ignored(file: Path | None) -> Ignored:
    return parsed(file.read_text(encoding="utf-8")) if file else Ignored()


def _mistake(dockerfile: Path, target: str) -> str:
    # buildah has a preprocessor make a Dockerfile of such a file.
    if dockerfile.suffix == ".in":
        return ""
    return mistake(dockerfile.read_text(encoding="utf-8", errors="replace"), target)


def _digest(build: Build, folder: Path, dockerfile: Path, ignored: Ignored) -> str:
    digest = hashlib.sha256()
    head = [_FORMAT, build.dockerfile, build.target, _slow(build.args), *sorted(build.secrets)]
    digest.update(json.dumps(head).encode())
    digest.update(_content(dockerfile))
    for path, entry in sorted(_entries(folder, ignored)):
        digest.update(f"{path}\0".encode(errors="surrogateescape"))
        digest.update(_what_it_is(entry))
    return digest.hexdigest()


def _slow(args: object) -> str:
    if not args:
        return ""
    text = json.dumps(args, sort_keys=True, default=dict)
    return hashlib.pbkdf2_hmac("sha256", text.encode(), b"build", 100_000).hex()


def _entries(
    folder: Path, ignored: Ignored, inside: str = "", above: Met = ()
) -> Iterator[tuple[str, Path]]:
    """Everything in the folder that counts, by its path from there.

    A folder that is left out counts all the same where something in it does, as for Docker.
    """
    with os.scandir(folder) as entries:
        for entry in entries:
            path = f"{inside}{entry.name}"
            out, met = ignored.match(path, above)
            below: list[tuple[str, Path]] = []
            if entry.is_dir(follow_symlinks=False) and (not out or ignored.has_exceptions):
                below = list(_entries(Path(entry.path), ignored, f"{path}/", met))
            if below or not out:
                yield path, Path(entry.path)
                yield from below


def _what_it_is(path: Path) -> bytes:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return f"link {path.readlink()}".encode(errors="surrogateescape")
    if stat.S_ISREG(mode):
        return f"file {stat.S_IMODE(mode):o} ".encode() + _content(path)
    return f"folder {stat.S_IMODE(mode):o}".encode()


def _content(path: Path) -> bytes:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.digest()
