"""Have every image of the catalogue in the engine, making only what is not there."""

from __future__ import annotations

import json
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

from lab.base import ensure_base
from lab.docker import Docker
from lab.engine import Engine
from lab.errors import LabError
from lab.images.archive import archive
from lab.images.catalogue import IMAGES, DebianImage, GoImage, Image, PackedImage
from lab.images.compiling import compile_module
from lab.images.naming import pulled_tag, stand_in_tag
from lab.images.pulling import pull
from lab.system import Log


def build(log: Log, docker: Docker | None = None) -> dict[str, str]:
    """Local tags by public reference. Quick where all are there; raises LabError."""
    docker = docker or Engine(log=log).ensure()
    architecture = docker.run("version", "--format={{.Server.Arch}}").strip()
    there = set(
        docker.run(
            "image",
            "ls",
            "--format={{.Repository}}:{{.Tag}}",
            "--filter=reference=cloudlet-lab/*",
        ).split()
    )
    tags: dict[str, str] = {}
    missing: list[Image] = []
    for image in IMAGES:
        wanted = (pulled_tag(image.reference), stand_in_tag(image, architecture))
        tag = next((each for each in wanted if each in there), None)
        if tag is None:
            missing.append(image)
        else:
            tags[image.reference] = tag
    tags |= _pull_what_can_be(missing, docker, architecture, log)
    tags |= _make(
        [each for each in missing if each.reference not in tags], docker, architecture, log
    )
    return {image.reference: tags[image.reference] for image in IMAGES}


def _pull_what_can_be(
    images: list[Image], docker: Docker, architecture: str, log: Log
) -> dict[str, str]:
    tags: dict[str, str] = {}
    for image in images:
        if isinstance(image, GoImage) and image.only_on not in ("", architecture):
            continue
        tag = pull(docker, image.reference, log)
        if tag is None:
            log("public images can't be pulled here: the lab makes stand-ins")
            break
        tags[image.reference] = tag
    return tags


def _make(images: list[Image], docker: Docker, architecture: str, log: Log) -> dict[str, str]:
    """All at once: one waits for the network while another keeps a processor busy."""
    tags = {each.reference: stand_in_tag(each, architecture) for each in images}
    debian = [each for each in images if isinstance(each, DebianImage)]
    packed = [each for each in images if isinstance(each, PackedImage)]
    programs = [each for each in images if isinstance(each, GoImage)]
    base = ensure_base(docker, log) if debian or packed else ""
    with ThreadPoolExecutor() as pool:
        running: list[Future[None]] = [
            pool.submit(_debian, each, tags[each.reference], base, docker, log) for each in debian
        ]
        running += [
            pool.submit(pack, each, tags[each.reference], base, docker, log) for each in packed
        ]
        for folder, group in groupby(programs, lambda each: each.folder):
            tagged = {tags[each.reference]: each for each in group}
            running.append(pool.submit(_program, folder, tagged, docker, architecture, log))
        for each in running:
            each.result()
    return tags


def _debian(image: DebianImage, tag: str, base: str, docker: Docker, log: Log) -> None:
    log(f"{image.folder.name}: building it from Debian's packages (about half a minute)")
    docker.build(
        tag,
        str(image.folder),
        lambda _: None,
        [f"BASE={base}", *_proxies(docker)],
        what=image.folder.name,
    )
    log(f"{image.folder.name}: built")


def pack(image: PackedImage, tag: str, base: str, docker: Docker, log: Log) -> None:
    """Have the image; `base` is Debian, for whichever architecture the image is to be."""
    log(f"{image.folder.name}: packing it from Debian's packages (about ten seconds)")
    script = (image.folder / "pack.sh").read_text(encoding="utf-8")
    environment = [f"--env={each}" for each in _proxies(docker)]
    # An image for another processor says so itself.
    platform = docker.run("image", "inspect", "--format={{.Os}}/{{.Architecture}}", base).strip()
    variant = "/v7" if platform == "linux/arm" else ""
    packed = docker.system.pipe(
        [*docker.command, "run", "--rm", *environment, base, "sh", "-c", script],
        [
            *docker.command,
            "import",
            f"--platform={platform}{variant}",
            f"--change=CMD {json.dumps(image.command)}",
            "--change=ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            f"--change=LABEL cloudlet.lab.stand-in='out of Debian for {image.reference}'",
            "-",
            tag,
        ],
    )
    if not packed.ok:
        raise LabError(f"{image.folder.name} could not be packed: {packed.last_line}")
    log(f"{image.folder.name}: packed")


def _proxies(docker: Docker) -> list[str]:
    return [
        f"{name}={docker.system.environment(name)}"
        for name in ("http_proxy", "https_proxy", "no_proxy")
        if docker.system.environment(name)
    ]


def _program(
    folder: Path, images: dict[str, GoImage], docker: Docker, architecture: str, log: Log
) -> None:
    log(f"{folder.name}: building it with Go (the first time about half a minute)")
    program = compile_module(folder, architecture, docker.system)
    loaded = docker.try_run("load", "--quiet", stdin=archive(images, program, architecture))
    if not loaded.ok:
        raise LabError(f"the images of {folder.name} could not be loaded: {loaded.last_line}")
    log(f"{folder.name}: built, {len(images)} images")
