"""What a service's image is built from, where its file says so."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from .model import Build, Content
from .node import Node, one_of

_KEYS = frozenset({"args", "context", "dockerfile", "platforms", "secrets", "target"})
# What makes a build quicker or tells about it, and changes nothing of what is built.
_IGNORED = frozenset(
    {
        "cache_from",
        "cache_to",
        "isolation",
        "no_cache",
        "provenance",
        "pull",
        "sbom",
        "shm_size",
        "tags",
        "ulimits",
    }
)
_IN_DOCKERFILE = "is not taken over; write it in the Dockerfile"
_REFUSED = {
    "additional_contexts": "is not taken over; put what the build needs into its context",
    "dockerfile_inline": "is not taken over; write a file, and dockerfile: and its name",
    "entitlements": "builds have no privileges here; remove it",
    "extra_hosts": _IN_DOCKERFILE,
    "labels": _IN_DOCKERFILE,
    "network": "builds use the network of the machine; remove it",
    "privileged": "builds have no privileges here; remove it",
    "ssh": "is not taken over; hand a key over by secrets, or fetch into the context beforehand",
}
_PLATFORM = re.compile(r"linux/([^/]+)(?:/([^/]+))?")
# Those of Linux that Go knows, which Docker and its builders name them by, with their variants.
_PROCESSORS: Mapping[str, tuple[str, ...]] = {
    "386": (),
    "amd64": ("v1", "v2", "v3", "v4"),
    "arm": ("v5", "v6", "v7", "v8"),
    "arm64": ("v8", "v9"),
    "loong64": (),
    "mips": (),
    "mips64": (),
    "mips64le": (),
    "mipsle": (),
    "ppc64": (),
    "ppc64le": (),
    "riscv64": (),
    "s390x": (),
}
# As kernels and Debian call them.
_OTHER_NAMES = {
    "aarch64": "arm64",
    "armel": "arm/v6",
    "armhf": "arm/v7",
    "armv6l": "arm/v6",
    "armv7l": "arm/v7",
    "i386": "386",
    "i686": "386",
    "x86_64": "amd64",
}
_ID = re.compile(r"[A-Za-z0-9_.-]+")
_REMOTE = re.compile(r"[a-z+]+://|git@|github\.com/")
# Docker's own normal form.
_DEFAULT_VARIANTS = {"arm": "v7", "arm64": "v8", "amd64": "v1"}


def build(node: Node, variables: Mapping[str, str], secrets: Mapping[str, Content]) -> Build:
    """The build of a service; its paths are as written. ``secrets`` are the file's."""
    if node.is_text:
        return Build(context=_context(node))
    fields = node.fields(_KEYS, refused=_REFUSED, ignored=_IGNORED)
    return Build(
        context=_context(fields["context"]) if "context" in fields else ".",
        dockerfile=fields["dockerfile"].name() if "dockerfile" in fields else "Dockerfile",
        target=fields["target"].name() if "target" in fields else "",
        args=_args(fields["args"], variables) if "args" in fields else {},
        secrets=_secrets(fields["secrets"], secrets) if "secrets" in fields else {},
        platforms=_platforms(fields["platforms"]) if "platforms" in fields else (),
    )


def _context(node: Node) -> str:
    context = node.name()
    if _REMOTE.match(context):
        node.problem(f"{node.shown} is not a folder; write one, seen from the compose file")
    return context


def _args(node: Node, variables: Mapping[str, str]) -> dict[str, str]:
    """A name without a value has the variable's; one that nobody defines is left to its default."""
    found: dict[str, str] = {}
    for name, value in node.pairs().items():
        if value.value is not None:
            found[name] = value.scalar()
        elif name in variables:
            found[name] = variables[name]
    return found


def _secrets(node: Node, known: Mapping[str, Content]) -> dict[str, Content]:
    """By the id that the Dockerfile has for each."""
    found: dict[str, Content] = {}
    for item in node.items():
        fields = {"source": item}
        if item.is_mapping:
            # The Dockerfile's to say, in its --mount.
            fields = item.fields({"source", "target"}, ignored={"gid", "mode", "uid"})
        if "source" not in fields:
            item.problem("has no source; write source: and the secret's name")
            continue
        source = fields["source"]
        name = source.text()
        target = fields.get("target", source)
        if name not in known:
            if name:
                source.problem(
                    f"{source.shown}: the file has no such secret; write it at the top level: "
                    "secrets"
                )
        elif (content := known[name]).external:
            source.problem(
                f"{source.shown} is external, and Swarm hands no secret out; write it at the top "
                "level with environment: or file:"
            )
        elif not _ID.fullmatch(target.text()):
            target.problem(f"{target.shown} is no id; write letters, digits, _, . and - only")
        else:
            found[target.text()] = content
    return found


def _platforms(node: Node) -> tuple[str, ...]:
    found: list[str] = []
    for item in node.items():
        match = _PLATFORM.fullmatch(item.text())
        processor, variant = match.groups() if match else ("", None)
        variants = _PROCESSORS.get(processor)
        if variants is None or (variant and variant not in variants):
            what = _instead(processor, variants)
            item.problem(f"{item.shown} is no platform of a phone; write {what}")
            continue
        variant = variant or _DEFAULT_VARIANTS.get(processor, "")
        plain = processor != "arm" and variant == _DEFAULT_VARIANTS.get(processor)
        named = "" if plain else variant
        found.append("/".join(part for part in ("linux", processor, named) if part))
    return tuple(dict.fromkeys(found))


def _instead(processor: str, variants: Sequence[str] | None) -> str:
    """What to write for a platform that nobody knows; ``variants`` of a processor that is one."""
    if variants is not None:
        return one_of([f"linux/{processor}/{each}" for each in variants] or [f"linux/{processor}"])
    if other := _OTHER_NAMES.get(processor):
        return f"linux/{other}"
    if near := get_close_matches(processor, _PROCESSORS, n=1):
        return f"linux/{near[0]}"
    return f"linux/ and one of {', '.join(_PROCESSORS)}"
