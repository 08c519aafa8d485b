"""The official release of Pulumi, where the internet can be reached."""

from __future__ import annotations

import hashlib
import platform
import shutil
import tarfile
import time
import urllib.error
import urllib.request
from pathlib import Path, PurePosixPath
from typing import Any, Final

from .errors import ToolchainError
from .layout import Layout
from .progress import Progress, say, shown
from .versions import WANTED

_RELEASES: Final = "https://get.pulumi.com/releases/sdk"
_CHECKSUMS: Final = (
    f"https://github.com/pulumi/pulumi/releases/download/v{WANTED}/pulumi-{WANTED}-checksums.txt"
)
_MACHINES: Final = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
_ANSWER_SECONDS: Final = 4.0
_STALLED_SECONDS: Final = 60.0
_BLOCK: Final = 1 << 20
# After a failure nothing is asked again for this long: not every run should wait in vain.
_QUIET_SECONDS: Final = 24 * 3600


def archive_name(system: str | None = None, machine: str | None = None) -> str | None:
    """The release's file for this machine; None if there is none."""
    kind = _MACHINES.get((machine or platform.machine()).lower())
    name = (system or platform.system()).lower()
    if kind is None or name not in ("linux", "darwin"):
        return None
    return f"pulumi-v{WANTED}-{name}-{kind}.tar.gz"


def reachable(layout: Layout, address: str = _RELEASES) -> bool:
    """Whether the official download server answers within seconds; a no holds for a day."""
    stamp = layout.cache / "no-internet"
    if stamp.is_file() and time.time() - stamp.stat().st_mtime < _QUIET_SECONDS:
        return False
    name = archive_name()
    if name is not None:
        try:
            with _open(f"{address}/{name}", _ANSWER_SECONDS, method="HEAD"):
                stamp.unlink(missing_ok=True)
                return True
        except (OSError, urllib.error.URLError):
            pass
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.touch()
    return False


def download(layout: Layout, address: str = _RELEASES, checksums: str = _CHECKSUMS) -> None:
    """Put the official programs into `.cloudlet/bin`; raises `ToolchainError`."""
    name = archive_name()
    if name is None:
        raise ToolchainError(f"Pulumi has no release for {platform.machine()}")
    layout.cache.mkdir(parents=True, exist_ok=True)
    archive = layout.cache / name
    say(f"Downloading Pulumi {WANTED} into .cloudlet.")
    try:
        with shown(Progress(what="downloading Pulumi", unit="MB")) as progress:
            _fetch(f"{address}/{name}", archive, progress)
        _verify(archive, checksums)
        unpack(archive, layout.bin)
    except (OSError, urllib.error.URLError, tarfile.TarError) as error:
        raise ToolchainError(f"Pulumi could not be downloaded: {error}") from None
    finally:
        archive.unlink(missing_ok=True)


def unpack(archive: Path, directory: Path) -> None:
    """Put the programs of a release's archive into `directory`, without its folder."""
    directory.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as opened:
        for member in opened:
            if not member.isfile():
                continue
            source = opened.extractfile(member)
            assert source is not None
            fresh = directory / f".{PurePosixPath(member.name).name}.new"
            with source, fresh.open("wb") as target:
                shutil.copyfileobj(source, target, _BLOCK)
            fresh.chmod(0o755)
            fresh.replace(directory / PurePosixPath(member.name).name)


def _fetch(address: str, path: Path, progress: Progress) -> None:
    received = 0
    with _open(address, _STALLED_SECONDS) as source, path.open("wb") as target:
        progress.total = int(source.headers.get("Content-Length") or 0) // _BLOCK
        while block := source.read(_BLOCK):
            target.write(block)
            received += len(block)
            progress.done = received // _BLOCK


def _open(address: str, seconds: float, method: str = "GET") -> Any:
    # S310 warns of addresses from outside; these are this module's own.
    request = urllib.request.Request(address, method=method)  # noqa: S310
    return urllib.request.urlopen(request, timeout=seconds)  # noqa: S310


def _verify(archive: Path, checksums: str) -> None:
    with _open(checksums, _STALLED_SECONDS) as source:
        lines = source.read().decode().splitlines()
    sums = {name: digest for digest, name in (line.split() for line in lines if line.strip())}
    with archive.open("rb") as opened:
        actual = hashlib.file_digest(opened, "sha256").hexdigest()
    if sums.get(archive.name) != actual:
        raise ToolchainError(
            f"{archive.name} does not have its published checksum: try again, or install Pulumi "
            "by hand"
        )
