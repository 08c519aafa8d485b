"""The lab's own machines: fingerprints, archives, mirror names and what `status` reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from lab import machine_images
from lab.base import debian_mirror
from lab.docker import Docker
from lab.errors import LabError
from lab.machine_images import fingerprint
from lab.registry import mirror_name
from lab.status import aligned, memory_used
from lab.system import Completed, System


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("docker.io/library/postgres:14-alpine", "library/postgres:14-alpine"),
        ("docker.io/postgres", "library/postgres:latest"),
        ("docker.io/someone/shop-web:latest", "someone/shop-web:latest"),
    ],
)
def test_an_image_is_pushed_under_the_name_that_a_mirror_is_asked_for(
    reference: str, name: str
) -> None:
    assert mirror_name(reference) == name


def test_an_image_that_docker_asks_no_mirror_for_is_refused() -> None:
    with pytest.raises(LabError, match=r"only for images of docker\.io"):
        mirror_name("registry.example/shop:1")


def test_a_fingerprint_changes_with_content_name_and_mode_of_any_file(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    file = tmp_path / "deep" / "script"
    file.write_text("one")
    seen = {fingerprint(tmp_path)}
    assert fingerprint(tmp_path) in seen
    file.write_text("two")
    seen.add(fingerprint(tmp_path))
    file.chmod(0o755)
    seen.add(fingerprint(tmp_path))
    file.rename(tmp_path / "deep" / "other")
    seen.add(fingerprint(tmp_path))
    assert len(seen) == 4


def test_what_python_caches_changes_no_fingerprint(tmp_path: Path) -> None:
    before = fingerprint(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "x.pyc").write_text("")
    assert fingerprint(tmp_path) == before


def test_the_machines_own_debian_mirror_is_found_among_apts_targets() -> None:
    targets = (
        "Docker stable https://mirror.example/docker/\n"
        "Debian stable-security https://mirror.example/debian-security/\n"
        "Debian stable https://mirror.example/debian/\n"
    )
    assert debian_mirror(targets) == "https://mirror.example/debian"


def test_a_machine_that_is_no_debian_names_no_mirror() -> None:
    assert debian_mirror("Ubuntu noble https://mirror.example/ubuntu/\n") is None


@pytest.mark.parametrize(
    "text",
    [
        "cache 5\ninactive_file 3\ntotal_inactive_file 1048576\n3145728\n",
        "anon 7\ninactive_file 1048576\n3145728\n",
    ],
)
def test_memory_in_use_leaves_out_what_the_kernel_can_take_back(text: str) -> None:
    assert memory_used(text) == 2 * 1024 * 1024


def test_memory_that_can_not_be_read_is_unknown() -> None:
    assert memory_used("") is None


def test_a_table_is_aligned_and_has_no_trailing_blanks() -> None:
    assert aligned([("A", "B"), ("long", "x")]) == "A     B\nlong  x"


class Engine(System):
    """A Docker engine that holds images, saves and loads them."""

    def __init__(self) -> None:
        self.images: set[str] = set()
        self.saving_dies = False

    def run(
        self, command: Sequence[str], *, stdin: bytes | None = None, timeout: float | None = None
    ) -> Completed:
        words = list(command)
        if words[1] == "image":
            return Completed(code=0 if words[-1] in self.images else 1)
        file = Path(words[2].partition("=")[2])
        if words[1] == "save":
            file.write_text("half" if self.saving_dies else words[-1])
            return Completed(code=1 if self.saving_dies else 0, error="no space left")
        if file.read_text() == "broken":
            return Completed(code=1, error="unexpected EOF")
        self.images.add(file.read_text())
        return Completed(code=0)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Engine:
    monkeypatch.setattr(machine_images, "STATE", tmp_path / ".cloudlet")
    monkeypatch.setattr(machine_images, "CACHE", tmp_path / ".cloudlet" / "cache")
    return Engine()


def have(engine: Engine, tag: str = "cloudlet-lab/x:1") -> bool:
    """True if it had to be built."""
    built: list[str] = []

    def build() -> None:
        built.append(tag)
        engine.images.add(tag)

    machine_images.ensure_cached(Docker(system=engine), lambda _: None, tag, "x", build)
    return bool(built)


def test_an_image_that_down_removed_comes_back_without_being_built(engine: Engine) -> None:
    assert have(engine)
    engine.images.clear()
    assert not have(engine)
    assert engine.images == {"cloudlet-lab/x:1"}


def test_a_broken_archive_is_replaced_by_a_build(engine: Engine) -> None:
    have(engine)
    (archive,) = machine_images.CACHE.iterdir()
    archive.write_text("broken")
    engine.images.clear()
    assert have(engine)
    assert archive.read_text() == "cloudlet-lab/x:1"


def test_an_archive_that_was_cut_short_is_made_again(engine: Engine) -> None:
    engine.saving_dies = True
    with pytest.raises(LabError, match="docker save failed: no space left"):
        have(engine)
    engine.saving_dies = False
    assert not have(engine)
    assert [each.name for each in machine_images.CACHE.iterdir()] == ["cloudlet-lab-x-1.tar"]


def test_only_the_newest_archive_of_an_image_is_kept(engine: Engine) -> None:
    have(engine)
    have(engine, "cloudlet-lab/x:2")
    assert [each.name for each in machine_images.CACHE.iterdir()] == ["cloudlet-lab-x-2.tar"]
