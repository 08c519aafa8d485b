"""Secrets of the lab in the arguments of a build: where they would be read, and by whom. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from components.compose import StackSpec

# What a builder, its libraries or the system's loader take from the environment, through which it
# is given what is not to stand on its command line.
_ITS_OWN = re.compile(
    r"PATH|HOME|TMPDIR|TZ|GODEBUG|GOGC|GOMAXPROCS|GOMEMLIMIT|GOTRACEBACK|GLIBC_TUNABLES"
    r"|NO_COLOR|REGISTRY_AUTH_FILE|SSL_CERT_FILE|SSL_CERT_DIR|STORAGE_DRIVER|STORAGE_OPTS"
    r"|BUILDKIT_(HOST|COLORS|PROGRESS|TTY_LOG_LINES)"
    r"|(BUILDAH|BUILDX|CONTAINERS|DOCKER|LD|MALLOC|OTEL|XDG)_.*"
)


def held(texts: Iterable[str], secrets: Collection[str]) -> list[str]:
    """Those of ``secrets`` that the texts hold, each once."""
    known = list(texts)
    return [each for each in sorted(secrets) if each and any(each in text for text in known)]


def problems(spec: StackSpec, secrets: Collection[str]) -> list[str]:
    """A line for each secret argument whose name is a setting of the builder's own."""
    return [
        f"{key} has a secret, which a builder takes from its environment, where {name} is one of "
        "its own settings; call the ARG otherwise, or hand it over by build.secrets"
        for key, name in _secret(spec, secrets)
        if _ITS_OWN.fullmatch(name)
    ]


def warnings(spec: StackSpec, secrets: Collection[str]) -> list[str]:
    """A line for each secret argument."""
    return [
        f"{key} has a secret, and an argument stands in the image's history, which whoever reaches "
        "the lab's network can read; hand it over by build.secrets"
        for key, _ in _secret(spec, secrets)
    ]


def _secret(spec: StackSpec, secrets: Collection[str]) -> Iterator[tuple[str, str]]:
    for service in spec.services.values():
        for name, value in service.build.args.items() if service.build else ():
            if held([value], secrets):
                yield f"stacks.{spec.name}: services.{service.name}.build.args.{name}", name
