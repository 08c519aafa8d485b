"""The lab's images: what they are called, when they are made again, what is in their archive."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest

from lab.docker import Docker
from lab.errors import LabError
from lab.images import building
from lab.images.archive import archive
from lab.images.catalogue import IMAGES, GoImage, Health
from lab.images.compiling import environment, go_command
from lab.images.naming import content_hash, local_name, pulled_tag, stand_in_tag
from lab.system import Completed, System
from toolchain.errors import ToolchainError

ROOT = Path(__file__).parents[2]
COFFEE = GoImage(
    reference="docker.io/shop/coffee:latest",
    folder=ROOT / "lab" / "images" / "coffee",
    entrypoint=("/coffee", "web"),
    ports=(8888,),
    environment={"GOMEMLIMIT": "32MiB"},
    health=Health(command=("/coffee", "healthcheck"), start_interval=1),
    user="65534:65534",
)


def test_every_image_of_the_stacks_is_in_the_lab() -> None:
    used: set[str] = set()
    for stack in (ROOT / "stacks").glob("*.yml"):
        for name in re.findall(r"^ +image: *(\S+)", stack.read_text(), re.MULTILINE):
            used.add(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", name))
    assert used
    assert used <= {image.reference for image in IMAGES}


def test_an_image_of_the_lab_is_named_so_that_lab_down_finds_it() -> None:
    assert local_name("docker.io/library/postgres:14-alpine") == "cloudlet-lab/postgres"
    assert pulled_tag("docker.io/library/postgres:14-alpine") == "cloudlet-lab/postgres:14-alpine"
    assert len({local_name(image.reference) for image in IMAGES}) == len(IMAGES)


def test_a_stand_in_is_made_again_when_a_file_of_it_changes(tmp_path: Path) -> None:
    program = tmp_path / "main.go"
    program.write_text("package main")
    before = content_hash(tmp_path)
    (tmp_path / "main_test.go").write_text("package main")
    assert content_hash(tmp_path) == before
    program.chmod(0o755)
    executable = content_hash(tmp_path)
    program.write_text("package other")
    assert len({before, executable, content_hash(tmp_path)}) == 3


def test_each_architecture_has_its_own_stand_in() -> None:
    tags = {stand_in_tag(COFFEE, architecture) for architecture in ("amd64", "arm64", "arm")}
    assert len(tags) == 3
    assert all(re.fullmatch(r"cloudlet-lab/coffee:[0-9a-f]{12}", tag) for tag in tags)


def unpack(packed: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        return {name: tar.extractfile(name).read() for name in tar.getnames()}  # type: ignore[union-attr]


def test_the_same_program_gives_the_same_archive() -> None:
    first = archive({"lab/coffee:1": COFFEE}, b"program", "amd64")
    assert first == archive({"lab/coffee:1": COFFEE}, b"program", "amd64")


def test_an_archive_holds_what_docker_load_needs() -> None:
    files = unpack(archive({"lab/coffee:1": COFFEE, "lab/coffee:2": COFFEE}, b"program", "arm"))
    manifest: list[dict[str, Any]] = json.loads(files["manifest.json"])
    assert [entry["RepoTags"] for entry in manifest] == [["lab/coffee:1"], ["lab/coffee:2"]]
    layer = files[manifest[0]["Layers"][0]]
    assert unpack(layer) == {"coffee": b"program"}
    config = json.loads(files[manifest[0]["Config"]])
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(layer).hexdigest()}"]
    assert (config["architecture"], config["variant"]) == ("arm", "v7")


def test_a_stand_in_says_what_it_is_and_brings_its_health_check() -> None:
    files = unpack(archive({"lab/coffee:1": COFFEE}, b"program", "amd64"))
    entry = json.loads(files["manifest.json"])[0]
    inner = json.loads(files[entry["Config"]])["config"]
    assert "stand-in" in inner["Labels"]["cloudlet.lab.stand-in"]
    assert inner["Entrypoint"] == ["/coffee", "web"]
    assert inner["Healthcheck"]["Test"] == ["CMD", "/coffee", "healthcheck"]
    assert inner["Healthcheck"]["StartInterval"] == 1_000_000_000
    assert inner["User"] == "65534:65534"


def test_go_builds_static_programs_and_keeps_to_the_checkout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("GOFLAGS", "GOMODCACHE", "GOCACHE"):
        monkeypatch.delenv(name, raising=False)
    settings = environment("arm64")
    assert (settings["CGO_ENABLED"], settings["GOARCH"]) == ("0", "arm64")
    assert {settings["GOMODCACHE"], settings["GOCACHE"]} == {
        str(ROOT / ".cloudlet" / "cache" / "go-mod"),
        str(ROOT / ".cloudlet" / "cache" / "go-build"),
    }
    monkeypatch.setenv("GOMODCACHE", "/elsewhere")
    assert environment("arm64")["GOMODCACHE"] == "/elsewhere"


def test_without_go_the_error_says_what_it_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ToolchainError("no package registry answers")

    monkeypatch.setattr("lab.images.compiling.compiler", refuse)
    with pytest.raises(LabError, match="built with Go, and it is not to be had: no package"):
        go_command()


class Engine(System):
    """An engine that has these images and fails at everything that is no question."""

    def __init__(self, images: list[str]) -> None:
        self.images = images
        self.asked: list[str] = []

    def run(self, command: Any, *, stdin: bytes | None = None, timeout: Any = None) -> Completed:
        self.asked.append(command[1])
        if command[1] == "version":
            return Completed(code=0, out="amd64\n")
        if command[1:3] == ["image", "ls"]:
            return Completed(code=0, out="\n".join(self.images))
        return Completed(code=1, error="not expected")


def test_a_second_build_only_asks_what_is_there() -> None:
    tags = [stand_in_tag(image, "amd64") for image in IMAGES]
    engine = Engine(tags)
    built = building.build(print, Docker(system=engine))
    assert built == {image.reference: tag for image, tag in zip(IMAGES, tags, strict=True)}
    assert engine.asked == ["version", "image"]


def test_a_public_image_that_was_pulled_wins_over_its_stand_in() -> None:
    postgres = "docker.io/library/postgres:14-alpine"
    tags = [stand_in_tag(image, "amd64") for image in IMAGES]
    engine = Engine([*tags, pulled_tag(postgres)])
    assert building.build(print, Docker(system=engine))[postgres] == pulled_tag(postgres)
