"""Where Pulumi and its plugins come from: the machine, the internet, or this checkout."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from toolchain import build, download, ensure, launchers, plugins
from toolchain.environment import pulumi_environment
from toolchain.errors import ToolchainError
from toolchain.layout import Layout
from toolchain.plugins import Plugin
from toolchain.progress import Progress

COMMAND = Plugin(name="command", version="1.2.1")


class Machine:
    """A machine of which a test says what it has; nothing is downloaded or built."""

    def __init__(self, root: Path) -> None:
        self.layout = Layout(root=root / "checkout")
        self.path = root / "usr"
        self.path.mkdir()
        self.home = root / "home"
        self.environment = {"PATH": str(self.path), "HOME": str(self.home)}
        self.built = 0

    def program(self, directory: Path, name: str, output: str = "") -> Path:
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / name
        path.write_text(f"#!/bin/sh\necho '{output}'\n")
        path.chmod(0o755)
        return path

    def build(self, _layout: Layout) -> Path:
        self.built += 1
        return self.program(self.layout.bin, "pulumi", "v3.259.0")

    def ensure(self) -> None:
        ensure.ensure(self.layout, self.environment)

    def stand_in(self, plugin: Plugin = COMMAND) -> Path:
        return plugin.directory(self.layout.pulumi_home) / plugin.file


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    made.program(made.path, "ssh")
    monkeypatch.setattr(ensure, "build", made.build)
    monkeypatch.setattr(download, "reachable", lambda _layout: False)
    monkeypatch.setenv("HOME", str(made.home))
    monkeypatch.setenv("PATH", f"{made.path}:/usr/bin:/bin")
    return made


def test_without_pulumi_and_internet_it_is_built_once_with_all_stand_ins(machine: Machine) -> None:
    machine.ensure()
    machine.ensure()
    assert machine.built == 1
    for path in (
        machine.layout.bin / "pulumi-language-python",
        machine.layout.bin / "pulumi-resource-pulumi-python",
        machine.stand_in(),
    ):
        assert launchers.is_launcher(path)
    assert (
        str(machine.layout.bin) in pulumi_environment(machine.layout, {"PATH": "/usr/bin"})["PATH"]
    )


def test_a_pulumi_of_another_version_that_was_built_before_is_replaced(machine: Machine) -> None:
    machine.program(machine.layout.bin, "pulumi", "v3.200.0")
    machine.ensure()
    assert machine.built == 1


def test_the_machines_pulumi_is_used_and_nothing_is_put_before_it(machine: Machine) -> None:
    machine.ensure()
    for name in ("pulumi", "pulumi-language-python", "pulumi-resource-pulumi-python"):
        machine.program(machine.path, name, "v3.240.0")
    for name in ("command", "docker"):
        machine.program(machine.path, f"pulumi-resource-{name}")
    machine.ensure()
    assert machine.built == 1
    assert list(machine.layout.bin.iterdir()) == []
    assert not machine.stand_in().exists()
    assert pulumi_environment(machine.layout, machine.environment)["PATH"] == str(machine.path)


def test_a_pulumi_that_came_alone_finds_our_language_host_where_it_warns_of_none(
    machine: Machine,
) -> None:
    """Of one on PATH that does not lie beside it, Pulumi warns in every run."""
    machine.program(machine.path, "pulumi", "v3.259.0")
    machine.ensure()
    machine.ensure()
    kept = machine.layout.pulumi_home / "plugins"
    host = kept / "language-python-v3.259.0" / "pulumi-language-python"
    dynamic = kept / "resource-pulumi-python-v3.259.0" / "pulumi-resource-pulumi-python"
    assert launchers.is_launcher(host)
    assert launchers.is_launcher(dynamic)
    assert not machine.layout.bin.exists() or list(machine.layout.bin.iterdir()) == []
    for name in plugins.BUNDLED:
        machine.program(machine.path, name)
    machine.ensure()
    assert not host.parent.exists()
    assert not dynamic.parent.exists()


@pytest.mark.parametrize("version", ["v3.100.0", "v4.0.0", "nonsense"])
def test_a_wrong_pulumi_is_one_line_that_says_what_to_do(machine: Machine, version: str) -> None:
    machine.program(machine.path, "pulumi", version)
    with pytest.raises(ToolchainError, match="upgrade it, or take it off PATH") as raised:
        machine.ensure()
    assert "\n" not in str(raised.value)
    assert machine.built == 0


def test_what_stands_beside_the_machines_pulumi_is_used(machine: Machine) -> None:
    elsewhere = machine.path.parent / "opt"
    for name in ("pulumi", *plugins.BUNDLED):
        machine.program(elsewhere, name, "v3.259.0")
    (machine.path / "pulumi").symlink_to(elsewhere / "pulumi")
    machine.ensure()
    assert not machine.layout.bin.exists() or list(machine.layout.bin.iterdir()) == []


def test_a_downloaded_official_plugin_is_never_replaced(machine: Machine) -> None:
    official = machine.program(COMMAND.directory(machine.layout.pulumi_home), COMMAND.file)
    machine.ensure()
    assert not launchers.is_launcher(official)


def test_a_plugin_that_the_users_own_pulumi_has_is_used(machine: Machine) -> None:
    machine.ensure()
    official = machine.program(COMMAND.directory(machine.home / ".pulumi"), COMMAND.file)
    machine.ensure()
    assert machine.stand_in().resolve() == official.resolve()
    assert official.is_file()


def test_a_home_of_the_users_own_is_not_written_to(machine: Machine) -> None:
    theirs = machine.path.parent / "theirs"
    theirs.mkdir()
    machine.environment["PULUMI_HOME"] = str(theirs)
    machine.ensure()
    assert list(theirs.iterdir()) == []
    assert launchers.is_launcher(machine.layout.bin / COMMAND.file)


def test_the_official_docker_plugin_without_ssh_is_an_error(machine: Machine) -> None:
    (machine.path / "ssh").unlink()
    machine.environment["PATH"] = str(machine.path)
    machine.program(machine.path, "pulumi-resource-docker")
    with pytest.raises(ToolchainError, match="install openssh-client"):
        machine.ensure()


def _with_compiler(root: Path, script: str) -> tuple[Layout, dict[str, str]]:
    """A checkout, and an environment whose `go` does what `script` has for `list` and `build`."""
    layout = Layout(root=root)
    layout.cli_module.mkdir(parents=True)
    (layout.cli_module / "go.mod").write_text("module x\n\ngo 1.26\n")
    go = root / "usr" / "go"
    go.parent.mkdir()
    go.write_text(f'#!/bin/sh\n[ "$1" = version ] && echo go1.30.0 && exit\n{script}')
    go.chmod(0o755)
    return layout, {"PATH": f"{go.parent}:/usr/bin:/bin"}


def test_a_failed_build_tells_the_compilers_last_words(tmp_path: Path) -> None:
    layout, environment = _with_compiler(tmp_path, "echo no disk >&2; exit 1\n")
    with pytest.raises(ToolchainError, match="no disk"):
        build.build(layout, environment)


def test_a_build_that_was_cut_off_counts_on_from_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Go names what it compiles, and after an interruption what it had not finished."""
    layout, environment = _with_compiler(
        tmp_path,
        """if [ "$1" = list ]; then mkdir -p "$GOPATH"; printf '%s\\n' a b c d; exit; fi
if [ ! -e "$GOPATH/tried" ]; then touch "$GOPATH/tried"; printf '%s\\n' a b >&2; exit 1; fi
printf '%s\\n' b c d >&2
touch "$GOPATH/pulumi"
""",
    )
    counts: list[tuple[int, int]] = []

    @contextmanager
    def shown(progress: Progress) -> Iterator[Progress]:
        try:
            yield progress
        finally:
            counts.append((progress.done, progress.total))

    monkeypatch.setattr(build, "shown", shown)
    with pytest.raises(ToolchainError):
        build.build(layout, environment)
    build.build(layout, environment)
    assert [count for count in counts if count[1]] == [(2, 4), (4, 4)]


def test_a_release_is_chosen_by_the_machine() -> None:
    assert download.archive_name("Linux", "aarch64") == "pulumi-v3.259.0-linux-arm64.tar.gz"
    assert download.archive_name("Linux", "x86_64") == "pulumi-v3.259.0-linux-x64.tar.gz"
    assert download.archive_name("Linux", "riscv64") is None


def _release(directory: Path, *, checksum: str | None = None) -> tuple[str, str]:
    """A server's folder with a release and its checksums; returns the two addresses."""
    name = download.archive_name()
    assert name is not None
    program = directory / "program"
    program.write_text("#!/bin/sh\necho v3.259.0\n")
    with tarfile.open(directory / name, "w:gz") as archive:
        archive.add(program, "pulumi/pulumi")
        archive.add(program, "pulumi/pulumi-language-python")
    actual = hashlib.sha256((directory / name).read_bytes()).hexdigest()
    (directory / "sums").write_text(f"{checksum or actual}  {name}\n")
    return directory.as_uri(), (directory / "sums").as_uri()


def test_a_downloaded_release_is_ready_to_run(tmp_path: Path) -> None:
    address, sums = _release(tmp_path)
    layout = Layout(root=tmp_path / "checkout")
    download.download(layout, address, sums)
    assert ensure.version_of(layout.bin / "pulumi") == (3, 259, 0)
    assert not launchers.is_launcher(layout.bin / "pulumi-language-python")
    assert list(layout.cache.iterdir()) == []


def test_a_release_with_another_checksum_is_not_installed(tmp_path: Path) -> None:
    address, sums = _release(tmp_path, checksum="0" * 64)
    layout = Layout(root=tmp_path / "checkout")
    with pytest.raises(ToolchainError, match="does not have its published checksum"):
        download.download(layout, address, sums)
    assert not layout.bin.exists()
    assert list(layout.cache.iterdir()) == []


def test_a_server_that_does_not_answer_is_not_asked_again_the_same_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def refuse(address: str, *_: object, **__: object) -> None:
        asked.append(address)
        raise OSError("unreachable")

    monkeypatch.setattr(download, "_open", refuse)
    layout = Layout(root=tmp_path)
    assert not download.reachable(layout)
    assert not download.reachable(layout)
    assert len(asked) == 1


def test_a_launcher_starts_its_module_with_the_checkouts_python(tmp_path: Path) -> None:
    layout = Layout(root=tmp_path / "a b")
    path = layout.bin / "plugin"
    launchers.write(path, "toolchain.some", layout)
    text = path.read_text()
    assert f"'{layout.python}'" in text
    assert path.stat().st_mode & 0o111
