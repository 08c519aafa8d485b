"""Which builds of an image a phone can run. Pure.

A platform is text as registries and Docker write it: ``linux/arm/v7``. Nodes report the kernel's
word for their processor: ``armv7l``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from components.compose import Build, Placement
from components.services.placement import Node, candidates

UNKNOWN = "unknown"
# A processor runs builds for older ones of its kind. 32-bit ARM on a 64-bit kernel is left out:
# Swarm's scheduler does not put it there, nor can every such kernel run it.
_RUNS: Mapping[str, frozenset[str]] = {
    "x86_64": frozenset({"amd64", "386"}),
    "amd64": frozenset({"amd64", "386"}),
    "i386": frozenset({"386"}),
    "i686": frozenset({"386"}),
    "aarch64": frozenset({"arm64"}),
    "arm64": frozenset({"arm64"}),
    "armv8l": frozenset({"arm/v5", "arm/v6", "arm/v7", "arm/v8", "arm"}),
    "armv7l": frozenset({"arm/v5", "arm/v6", "arm/v7", "arm"}),
    "armv6l": frozenset({"arm/v5", "arm/v6", "arm"}),
}


_NEWEST: Mapping[str, str] = {
    "x86_64": "amd64",
    "i386": "386",
    "i686": "386",
    "aarch64": "arm64",
    "armv8l": "arm/v7",
    "armv7l": "arm/v7",
    "armv6l": "arm/v6",
}


def platform(*, os: str, architecture: str, variant: str = "") -> str:
    """``linux/arm/v7``; the variant is left out where it says nothing (every arm64 is v8)."""
    named = variant if architecture == "arm" else ""
    return "/".join(part for part in (os, architecture, named) if part)


def named(build: Mapping[str, Any]) -> str:
    """The :func:`platform` of a build as registries and Docker tell it, with what may be left out
    or empty there."""
    return platform(
        os=build.get("os") or "linux",
        architecture=build.get("architecture") or UNKNOWN,
        variant=build.get("variant") or "",
    )


def is_described(build: Mapping[str, Any]) -> bool:
    """Whether it is a build at all: what describes one, its provenance say, stands beside it as of
    an unknown platform."""
    return build.get("architecture") not in (None, "", UNKNOWN)


def runs(node: str, build: str) -> bool:
    """Whether a node of that architecture runs the build for that platform."""
    os, _, processor = build.partition("/")
    return os in ("", "linux") and processor in _RUNS.get(node, {node})


def to_build(
    build: Build, placement: Placement, nodes: Sequence[Node]
) -> tuple[list[str], list[str]]:
    """For which platforms an image is to be built, and those of them that no phone runs.

    Exactly those of the phones on which the service may run, unless its author insists on others.
    """
    if build.platforms:
        processors = [node.architecture for node in nodes]
        idle = [each for each in build.platforms if not any(runs(p, each) for p in processors)]
        return list(build.platforms), idle
    where = candidates(placement, nodes) or nodes
    return sorted({platform_of(node.architecture) for node in where}), []


def platform_of(node: str) -> str:
    """The newest platform that a node of that architecture runs."""
    return f"linux/{_NEWEST.get(node, node)}"


def builds(index: Mapping[str, Any]) -> dict[str, str]:
    """The digests of an image's builds by platform, as a registry lists them."""
    listed = index.get("manifests", [])
    return {named(each.get("platform") or {}): each["digest"] for each in listed}


def choose(platforms: Iterable[str], builds: Collection[str]) -> list[str]:
    """Which of the builds phones of these platforms pull: their own, else the newest they run."""
    found: list[str] = []
    for wanted in platforms:
        named = wanted.rpartition("/")[2] if wanted.count("/") > 1 else ""
        older = [f"linux/arm/v{n}" for n in range(int(named.removeprefix("v") or 0), 4, -1)]
        fitting = (each for each in (wanted, *older) if each in builds)
        found += [each for each in [next(fitting, None)] if each is not None]
    return list(dict.fromkeys(found))


def misfits(
    image: str,
    platforms: Sequence[str],
    placement: Placement,
    nodes: Iterable[Node],
    *,
    built: bool = False,
) -> str:
    """Why ``image`` cannot run wherever its service may land; empty if it can, or nobody knows.

    ``platforms`` are the image's builds, empty where they are not known. ``built`` is whether it is
    the stack's own, made for those that its file names.
    """
    where = candidates(placement, nodes)
    if not platforms or where is None:
        return ""
    lacking = [
        node
        for node in where
        if node.architecture and not any(runs(node.architecture, build) for build in platforms)
    ]
    if not lacking:
        return ""
    phones = ", ".join(f"{node.name} ({node.architecture})" for node in lacking)
    remedy = "use another image"
    if built:
        more = sorted({platform_of(node.architecture) for node in lacking})
        remedy = f"add {', '.join(more)} to build.platforms, or remove platforms"
    elif able := sorted({node.architecture for node in where} - {n.architecture for n in lacking}):
        remedy = (
            "keep the service away with deploy.placement.constraints: "
            f"[node.platform.arch == {able[0]}], or use another image"
        )
    there = "is built" if built else "exists"
    return (
        f"image {image} {there} for {', '.join(platforms)} only, and the service may land on "
        f"{phones}; {remedy}"
    )
