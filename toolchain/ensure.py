"""Makes Pulumi and its plugins available, with as little as is needed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from . import download, plugins, versions
from .build import build
from .environment import path_without_ours
from .errors import ToolchainError
from .layout import Layout
from .plugins import BUNDLED, Plugin
from .progress import say
from .turns import only_one


def ensure(layout: Layout, given: Mapping[str, str] | None = None) -> None:
    """Make `pulumi` and every plugin of the program available; raises `ToolchainError`.

    What the machine has is used, nothing outside the checkout is changed, and a second call finds
    everything in place.
    """
    environment = dict(os.environ if given is None else given)
    with only_one(
        layout.generated / "toolchain.lock",
        lambda: say("Waiting for another run that makes Pulumi available."),
    ):
        program = _on_path(layout, environment) or _own(layout)
        stand_ins = plugins.ensure_bundled(layout, program, environment)
        for name, version in versions.plugin_versions().items():
            plugin = Plugin(name=name, version=version)
            internet = download.reachable(layout)
            if not plugins.ensure_plugin(layout, program, plugin, environment, internet=internet):
                stand_ins.append(plugin.file)
        if "pulumi-resource-docker" not in stand_ins and _no_ssh(environment):
            raise ToolchainError(
                "Pulumi's Docker plugin reaches phones by the command ssh, which is missing: "
                "install openssh-client"
            )
        _report(program, stand_ins, layout)


def _no_ssh(environment: Mapping[str, str]) -> bool:
    return shutil.which("ssh", path=environment.get("PATH", os.defpath)) is None


def _on_path(layout: Layout, environment: Mapping[str, str]) -> Path | None:
    found = shutil.which("pulumi", path=path_without_ours(layout, environment))
    if found is None:
        return None
    version = version_of(Path(found))
    if version is None or not versions.compatible(version):
        says = ".".join(map(str, version)) if version else "no version"
        raise ToolchainError(
            f"{found} is Pulumi {says}, but this needs {versions.ALLOWED}: upgrade it, or take it "
            "off PATH and cloudlet gets its own"
        )
    for name in ("pulumi", *BUNDLED):
        (layout.bin / name).unlink(missing_ok=True)
    return Path(found)


def _own(layout: Layout) -> Path:
    program = layout.bin / "pulumi"
    if program.is_file() and version_of(program) == versions.parse(versions.WANTED):
        return program
    if download.reachable(layout):
        try:
            download.download(layout)
        except ToolchainError as error:
            say(str(error))
        else:
            return program
    return build(layout)


def version_of(program: Path) -> tuple[int, int, int] | None:
    """The version of a `pulumi` program; None if it does not say."""
    # Even `pulumi version` writes a log, into its home.
    with tempfile.TemporaryDirectory(prefix="cloudlet-") as home:
        try:
            done = subprocess.run(
                [program, "version"],
                env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true", "PULUMI_HOME": home},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
    return versions.parse(done.stdout)


def _report(program: Path, stand_ins: list[str], layout: Layout) -> None:
    stamp = layout.generated / "toolchain"
    text = f"Pulumi: {program}"
    if stand_ins:
        text += f"\nStand-ins for official plugins: {', '.join(stand_ins)}"
    # Said again only when it has changed.
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != text:
        say(text)
        stamp.write_text(text, encoding="utf-8")
