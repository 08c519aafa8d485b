"""Which builder is used, what it is told, and what is said where it fails."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from components.images import builder, builder_run
from components.images.builder import Buildah, BuildError, Buildx, Order, Ways

WAYS = Ways(push=4001, cache=4002)
# Each call as a line, with what an argument's value would be; an archive is filled in.
_RECORD = """#!/bin/sh
echo "${0##*/} $* TOKEN=$TOKEN" >>"$CALLS"
cat "$CONTAINERS_REGISTRIES_CONF" >>"$CALLS.registries" 2>/dev/null
for word; do
	case $word in
	--output=*) printf archive >"${word##*dest=}" ;;
	esac
done
"""


class Machine:
    """A machine whose PATH has just these programs; each is what its text says."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.calls_file = folder / "calls"
        for name in ("sh", "cat", "printf"):
            (self.bin / name).symlink_to(Path("/bin") / name)
        patch.setenv("PATH", str(self.bin))
        patch.setenv("CALLS", str(self.calls_file))
        patch.delenv("TOKEN", raising=False)

    def has(self, name: str, text: str = _RECORD) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def calls(self) -> list[str]:
        return self.calls_file.read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def order(folder: Path, **changes: object) -> Order:
    given: dict[str, object] = {
        "folder": folder,
        "dockerfile": folder / "Dockerfile",
        "platforms": ["linux/arm/v7", "linux/amd64"],
        "args": {"TOKEN": "secret-token"},
        "hidden": ["secret-token"],
        **changes,
    }
    return Order(**given)  # type: ignore[arg-type]


def no_upload(_archive: Path, _reference: str) -> None:
    raise AssertionError("nothing was to be uploaded")


def test_a_build_that_takes_too_long_is_stopped_and_says_so(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.has("sleeper", "#!/bin/sh\necho STEP 1/1: RUN sleep 50\nexec /bin/sleep 50\n")
    monkeypatch.setattr(builder_run, "BUILD_SECONDS", 0.3)
    with pytest.raises(BuildError, match=r"buildah was stopped after 0 minutes. Its last lines:"):
        builder_run.run("buildah", ["sleeper"], {}, platforms=[], hidden=[], tell=print)


def test_docker_with_buildx_is_used_before_buildah(machine: Machine) -> None:
    machine.has("docker")
    machine.has("buildah")
    assert isinstance(builder.find(no_upload, print), Buildx)


def test_a_docker_without_buildx_or_that_does_not_run_leaves_it_to_buildah(
    machine: Machine,
) -> None:
    machine.has("buildah")
    for refused in ("buildx", "info"):
        machine.has("docker", f'#!/bin/sh\n[ "$1" != {refused} ]\n')
        assert isinstance(builder.find(no_upload, print), Buildah)


def test_without_a_builder_the_one_command_is_named_that_brings_one(machine: Machine) -> None:
    with pytest.raises(BuildError, match="install Docker with its buildx plugin, or buildah"):
        builder.find(no_upload, print)
    machine.has("apt-get")
    with pytest.raises(BuildError) as caught:
        builder.find(no_upload, print)
    assert str(caught.value) == (
        "nothing on this machine builds images; sudo apt-get install buildah"
    )


def test_buildah_makes_one_list_for_all_platforms_and_pushes_it(
    machine: Machine, tmp_path: Path
) -> None:
    machine.has("buildah")
    Buildah().push(order(tmp_path, target="page"), "hello/web:1", WAYS, print)
    before, build, _, push, after = machine.calls()
    assert before.startswith("buildah manifest rm localhost/cloudlet/hello/web:1")
    assert after == before
    assert "--platform=linux/arm/v7,linux/amd64" in build
    assert "--target=page" in build
    assert "docker://127.0.0.1:4001/hello/web:1" in push
    registries = (machine.calls_file.with_name("calls.registries")).read_text()
    assert 'location = "127.0.0.1:4002"\ninsecure = true' in registries


def test_a_build_that_says_to_be_for_another_processor_is_made_without_buildahs_cache(
    machine: Machine, tmp_path: Path
) -> None:
    wrong = (
        '{"manifests": [{"platform": {"os": "linux", "architecture": "arm", "variant": "v7"}}, '
        '{"platform": {"os": "linux", "architecture": "amd64", "variant": "v7"}}]}'
    )
    machine.has("buildah", _RECORD + f"[ \"$2\" != inspect ] || printf '{wrong}'\n")
    Buildah().push(order(tmp_path), "hello/web:1", WAYS, print)
    builds = [call for call in machine.calls() if call.startswith("buildah build")]
    assert ["--no-cache" in build for build in builds] == [False, True]


def test_buildx_leaves_an_archive_that_is_put_into_the_registry(
    machine: Machine, tmp_path: Path
) -> None:
    machine.has("docker")
    uploaded: list[tuple[bytes, str]] = []

    def upload(archive: Path, reference: str) -> None:
        uploaded.append((archive.read_bytes(), reference))

    Buildx(upload=upload).push(order(tmp_path), "hello/web:1", WAYS, print)
    assert uploaded == [(b"archive", "hello/web:1")]
    assert "--platform=linux/arm/v7,linux/amd64" in machine.calls()[-1]


def test_buildx_has_a_builder_of_its_own_which_is_made_once(machine: Machine) -> None:
    machine.has("docker", _RECORD + '[ "$2 $3" != "inspect cloudlet" ]\n')
    builder.find(no_upload, print)
    assert "buildx create --name=cloudlet" in machine.calls()[3]
    machine.calls_file.unlink()
    machine.has("docker")
    builder.find(no_upload, print)
    assert not any("create" in call for call in machine.calls())


_WITHOUT_BUILDKIT = """#!/bin/sh
case "$*" in
*--bootstrap*) echo '#1 pulling image' >&2; echo 'ERROR: no such host' >&2; exit 1 ;;
esac
"""


def test_where_buildx_cannot_have_its_builder_buildah_builds(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.has("docker", _WITHOUT_BUILDKIT)
    machine.has("buildah")
    assert isinstance(builder.find(no_upload, print), Buildah)
    assert capsys.readouterr().out == (
        "docker buildx cannot start its builder, the image moby/buildkit (no such host); buildah "
        "builds instead\n"
    )


@pytest.mark.parametrize(
    ("has_apt", "how"),
    [(True, "sudo apt-get install buildah"), (False, "let Docker pull that, or install buildah")],
)
def test_where_there_is_no_buildah_either_it_is_told_what_to_do(
    machine: Machine, has_apt: bool, how: str
) -> None:
    machine.has("docker", _WITHOUT_BUILDKIT)
    if has_apt:
        machine.has("apt-get")
    with pytest.raises(BuildError) as caught:
        builder.find(no_upload, print)
    assert str(caught.value) == (
        f"docker buildx cannot start its builder, the image moby/buildkit (no such host); {how}"
    )


@pytest.mark.parametrize("name", ["buildah", "docker"])
def test_an_arguments_value_is_in_no_command_line(
    name: str, machine: Machine, tmp_path: Path
) -> None:
    machine.has(name)
    by = Buildah() if name == "buildah" else Buildx(upload=lambda _archive, _reference: None)
    by.push(order(tmp_path), "hello/web:1", WAYS, print)
    (build,) = [call for call in machine.calls() if "--build-arg" in call]
    words, _, handed = build.rpartition(" TOKEN=")
    assert handed == "secret-token"
    assert "--build-arg=TOKEN" in words
    assert "secret-token" not in words


@pytest.mark.parametrize("name", ["buildah", "docker"])
def test_an_argument_that_is_no_secret_is_no_setting_of_the_builder(
    name: str, machine: Machine, tmp_path: Path
) -> None:
    machine.has(name)
    by = Buildah() if name == "buildah" else Buildx(upload=lambda _archive, _reference: None)
    args = {"PATH": "/opt/bin", "TOKEN": "1=2", "EMPTY": ""}
    by.push(order(tmp_path, args=args), "hello/web:1", WAYS, print)
    (build,) = [call for call in machine.calls() if "--build-arg" in call]
    words, _, handed = build.rpartition(" TOKEN=")
    assert "--build-arg=PATH=/opt/bin --build-arg=TOKEN=1=2 --build-arg=EMPTY= " in words
    assert handed == ""


_SHOWS_SECRETS = (
    "for word; do case $word in --secret=*) file=${word##*src=}; "
    'echo "$word $(/bin/stat -c %a "$file") $(cat "$file")" >>"$CALLS" ;; esac; done\n'
)


@pytest.mark.parametrize("name", ["buildah", "docker"])
def test_a_secret_is_a_file_that_only_its_owner_reads_and_gone_afterwards(
    name: str, machine: Machine, tmp_path: Path
) -> None:
    machine.has(name, _RECORD + _SHOWS_SECRETS)
    by = Buildah() if name == "buildah" else Buildx(upload=lambda _archive, _reference: None)
    by.push(order(tmp_path, secrets={"npm": b"key-of-npm"}), "hello/web:1", WAYS, print)
    (shown,) = [call for call in machine.calls() if call.startswith("--secret=id=npm,src=")]
    option, mode, content = shown.split(" ")
    assert (mode, content) == ("600", "key-of-npm")
    assert not Path(option.partition("src=")[2]).exists()
    assert not any("key-of-npm" in call for call in machine.calls() if call != shown)


def test_no_line_of_a_secret_is_in_what_a_builder_says(
    machine: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.has(
        "buildah",
        '#!/bin/sh\n[ "$1" = build ] || exit 0\n'
        "echo 'STEP 2/3: RUN echo second-line'\n"
        "echo '+ key is first-line'; echo 'second-line:second-line'; echo abc; exit 1\n",
    )
    hidden = ["first-line\n  second-line\nabc\n", "line"]
    with pytest.raises(BuildError) as caught:
        Buildah().push(order(tmp_path, hidden=hidden), "hello/web:1", WAYS, print)
    assert capsys.readouterr().out == "STEP 2/3: RUN echo [secret]\n"
    assert str(caught.value).splitlines()[2:] == [
        "  + key is [secret]",
        "  [secret]:[secret]",
        "  abc",
    ]


def test_a_failing_build_is_told_in_the_builders_last_lines(
    machine: Machine, tmp_path: Path
) -> None:
    machine.has(
        "buildah",
        '#!/bin/sh\n[ "$1" = build ] || exit 0\n'
        'for n in 1 2 3 4 5 6 7 8 9 10 11 12 13; do echo "line $n"; done\n'
        "echo 'make: no rule' >&2\nexit 2\n",
    )
    with pytest.raises(BuildError) as caught:
        Buildah().push(order(tmp_path), "hello/web:1", WAYS, print)
    lines = str(caught.value).splitlines()
    assert lines[0] == "buildah failed. Its last lines:"
    assert lines[1:] == [*(f"  line {number}" for number in range(3, 14)), "  make: no rule"]


def test_steps_are_told_and_nothing_else(
    machine: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.has(
        "buildah",
        _RECORD + "echo '[linux/arm/v7] STEP 1/2: FROM busybox'\necho 'Copying blob'\n",
    )
    Buildah().push(order(tmp_path), "hello/web:1", WAYS, print)
    assert set(capsys.readouterr().out.splitlines()) == {"[linux/arm/v7] STEP 1/2: FROM busybox"}


@pytest.mark.parametrize(
    ("name", "has_apt", "remedy"),
    [
        ("buildah", True, "sudo apt-get install qemu-user-static"),
        (
            "buildah",
            False,
            "docker run --privileged --rm tonistiigi/binfmt --install arm,riscv64",
        ),
        ("docker", True, "docker run --privileged --rm tonistiigi/binfmt --install arm,riscv64"),
    ],
)
def test_where_foreign_programs_do_not_run_the_one_command_is_named(
    name: str,
    has_apt: bool,
    remedy: str,
    machine: Machine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(builder_run.machine, "machine", lambda: "x86_64")
    machine.has(
        name,
        '#!/bin/sh\ncase "$1 $2" in build\\ * | *\\ build) ;; *) exit 0 ;; esac\n'
        "echo 'exec /bin/sh: Exec format error'; exit 1\n",
    )
    if has_apt:
        machine.has("apt-get")
    by = Buildah() if name == "buildah" else Buildx(upload=no_upload)
    platforms = ["linux/arm/v7", "linux/amd64", "linux/riscv64"]
    with pytest.raises(BuildError) as caught:
        by.push(order(tmp_path, platforms=platforms), "hello/web:1", WAYS, print)
    assert str(caught.value).splitlines()[-1] == (
        "This machine cannot run programs for linux/arm/v7, linux/riscv64, as a RUN needs: "
        + remedy
    )


def test_a_machine_needs_nothing_for_its_own_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder_run.machine, "machine", lambda: "aarch64")
    assert builder_run.emulation(["linux/arm64"], "buildah") == ""


def test_no_argument_is_shown(tmp_path: Path) -> None:
    assert "secret-token" not in repr(order(tmp_path))
    assert os.environ.get("TOKEN") is None
