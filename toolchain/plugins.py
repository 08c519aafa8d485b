"""Pulumi's plugins: the official ones where they are or can be had, else our stand-ins."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from . import launchers
from .environment import path_without_ours, pulumi_environment, pulumi_home
from .layout import Layout
from .progress import Progress, say, shown
from .versions import WANTED

# These come with Pulumi itself and are looked for beside it.
BUNDLED: Final = {
    "pulumi-language-python": "toolchain.language_host",
    "pulumi-resource-pulumi-python": "toolchain.dynamic_provider",
}
# Ours starts the same module of the SDK as the official script.
_SAME_AS_OFFICIAL: Final = "pulumi-resource-pulumi-python"
_STAND_INS: Final = {"command": "toolchain.command_plugin", "docker": "toolchain.docker_plugin"}


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """A plugin, and of a provider the version that its SDK asks for."""

    name: str
    version: str
    kind: str = "resource"

    @property
    def file(self) -> str:
        return f"pulumi-{self.kind}-{self.name}"

    def directory(self, home: Path) -> Path:
        """Where Pulumi keeps it once it is downloaded."""
        return home / "plugins" / f"{self.kind}-{self.name}-v{self.version}"


def ensure_bundled(layout: Layout, program: Path, given: Mapping[str, str]) -> list[str]:
    """Make what comes with Pulumi available; returns the names of stand-ins."""
    ours: list[str] = []
    home = pulumi_home(layout, given)
    alone = program.parent != layout.bin and home == layout.pulumi_home
    for name, module in BUNDLED.items():
        _, kind, plain = name.split("-", 2)
        on_path = layout.bin / name
        kept = Plugin(name=plain, version=WANTED, kind=kind).directory(layout.pulumi_home) / name
        # Of one on PATH that is not beside it Pulumi warns in every run; of one that it finds among
        # those that it keeps it does not.
        launcher, stale = (kept, on_path) if alone else (on_path, kept)
        _remove(stale)
        beside = program.resolve().parent / name
        if shutil.which(name, path=path_without_ours(layout, given)) or _is_official(beside):
            _remove(launcher)
        elif not _is_official(launcher):
            launchers.write(launcher, module, layout)
            if name != _SAME_AS_OFFICIAL:
                ours.append(name)
    return ours


def ensure_plugin(
    layout: Layout, program: Path, plugin: Plugin, given: Mapping[str, str], *, internet: bool
) -> bool:
    """Make a provider plugin available; returns whether it is the official one."""
    home = pulumi_home(layout, given)
    # In Pulumi's own folder a plugin is found without a warning on every run; but that folder is
    # ours to write to only if the user named no other.
    kept, on_path = plugin.directory(home) / plugin.file, layout.bin / plugin.file
    own = home == layout.pulumi_home
    launcher, stale = (kept, on_path) if own else (on_path, kept if _is_ours(kept) else on_path)
    if stale != launcher:
        _remove(stale)
    if shutil.which(plugin.file, path=path_without_ours(layout, given)) or _is_official(kept):
        _remove(launcher)
        return True
    if own and _adopt(plugin, home):
        return True
    if internet:
        _remove(launcher)
        if _install(layout, program, plugin, given):
            return True
    launchers.write(launcher, _STAND_INS[plugin.name], layout)
    return False


def _adopt(plugin: Plugin, home: Path) -> bool:
    """Use what the user's own Pulumi has downloaded before."""
    source = plugin.directory(Path.home() / ".pulumi")
    if not _is_official(source / plugin.file):
        return False
    target = plugin.directory(home)
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    target.symlink_to(source)
    return True


def _install(layout: Layout, program: Path, plugin: Plugin, given: Mapping[str, str]) -> bool:
    say(f"Downloading Pulumi's {plugin.name} plugin {plugin.version}.")
    command = [str(program), "plugin", "install", "resource", plugin.name, plugin.version]
    with shown(Progress(what=f"downloading the {plugin.name} plugin")):
        done = subprocess.run(
            command,
            env=pulumi_environment(layout, given),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        say(f"It could not be had: {' '.join(done.stderr.split())}")
    return done.returncode == 0


def _is_ours(path: Path) -> bool:
    return path.is_file() and not _is_official(path)


def _is_official(path: Path) -> bool:
    return path.is_file() and not launchers.is_launcher(path)


def _remove(launcher: Path) -> None:
    """Remove a launcher of ours, and the folder that was made for it."""
    if not _is_ours(launcher):
        return
    launcher.unlink()
    if launcher.parent.name.startswith(("language-", "resource-")):
        shutil.rmtree(launcher.parent)
