"""Compose files that nobody would write, for hypothesis: from noise to almost right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from components.compose import specification
from tests.unit.compose_goldens import cases

_SCHEMA = specification.schema()["$defs"]
SERVICE_PARTS: dict[str, Any] = {
    key: part
    for name in ("container_spec", "workload_spec", "service")
    for key, part in _SCHEMA[name]["properties"].items()
}
_TOP = ("services", "networks", "volumes", "secrets", "configs", "version", "name", "x-a", "jobs")

# Half a surrogate pair: Python has it, and no text does.
HALF = "\ud800"
# Words that mean something somewhere, and numbers at the edge of what a reader takes.
WORDS = [
    *["web", "db", "shop:1", "default", "host", "none", "", " ", "a=b", "=", "==", "a:b:c", "."],
    *["80", "80:80", "53:53/udp", "1-3:1-3", "0", "65536", "[::1]:80:80", "1-", "-1", "80/x"],
    *["data:/data", "/a:/b:ro", "./a:/b", "~/a", "//", "a:/b:ro,nocopy,z", "C:\\x", "\0", HALF],
    *["$", "$$", "${A}", "${A:-x}", "${A", "$A-b", "${A:?", "${A:+${B:-${C}}}", "${", "${}", "$1"],
    *["10s", "1h1m", "1.5.5s", "9" * 40 + "h", "9" * 5000, "9" * 5000 + "s", "9" * 5000 + "m"],
    *["1e999", "-0", "0x", "1_0", "1/0", "1/3", "9" * 5000 + "/7", "nan", ".inf", "0.5", "64M"],
    *["true", "no", "Y", "ON", "replicated", "global", "vip", "dnsrr", "any", "on-failure:3"],
    *["on-failure:" + "9" * 50, "node.role == worker", "node.role==", "'", '"', "\\", "a 'b"],
    *["1.2.3.4", "1.2.3.4/24", "::/0", "1.2.3.4/99", "fe80::1%eth0", "\u0663", "\uff10", "\u2028"],
    *["<<", "!!int", "*a", "&a", "volume", "bind", "tmpfs", "rshared", "service_healthy", "CMD"],
]
NUMBERS = [0, 1, -1, 80, 0.5, 1e308, -1e308, 2**31, 2**63, 2**64, 10**400, True, False, None]


def places(part: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """The path of every key below a part of the schema; [] is an item, * a free name."""
    if "$ref" in part:
        part = _SCHEMA[part["$ref"].split("/")[-1]]
    for form in part.get("oneOf", ()):
        yield from places(form)
    below = {key: ((key,), inner) for key, inner in part.get("properties", {}).items()}
    below |= {
        pattern: (("*",), inner)
        for pattern, inner in part.get("patternProperties", {}).items()
        if pattern != "^x-"
    }
    if "items" in part:
        below["items"] = (("[]",), part["items"])
    for step, inner in below.values():
        if step not in (("*",), ("[]",)):
            yield step
        for path in places(inner):
            yield (*step, *path)


def holding(path: tuple[str, ...], value: Any) -> Any:
    """``value`` at a path of :func:`places`."""
    for step in reversed(path):
        value = [value] if step == "[]" else {"one" if step == "*" else step: value}
    return value


scalars = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(NUMBERS),
    st.text(max_size=8),
    st.integers(),
    st.floats(),
)
names = st.one_of(st.sampled_from([*_TOP, *WORDS]), st.text(max_size=5))
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=4)),
    max_leaves=8,
)


def _of(part: dict[str, Any], depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of the form that a part of the schema asks for, now and then of another."""
    if "$ref" in part:
        part = _SCHEMA[part["$ref"].split("/")[-1]]
    forms: list[st.SearchStrategy[Any]] = [_of(form, depth) for form in part.get("oneOf", ())]
    if "properties" in part or "patternProperties" in part:
        known = {
            key: _rarely_off(inner, depth) for key, inner in part.get("properties", {}).items()
        }
        free = [inner for form, inner in part.get("patternProperties", {}).items() if form != "^x-"]
        if free:
            forms.append(st.dictionaries(names, _rarely_off(free[0], depth), max_size=3))
        if known:
            forms.append(
                st.lists(st.sampled_from(sorted(known)), max_size=3, unique=True).flatmap(
                    lambda keys: st.fixed_dictionaries({key: known[key] for key in keys})
                )
            )
    if "items" in part:
        forms.append(st.lists(_rarely_off(part["items"], depth), max_size=3))
    if "enum" in part:
        forms.append(st.sampled_from(part["enum"]))
    return st.one_of(*forms) if forms else scalars


def _rarely_off(part: dict[str, Any], depth: int) -> st.SearchStrategy[Any]:
    if depth > 6:
        return scalars
    right = st.deferred(lambda: _of(part, depth + 1))
    return st.integers(0, 9).flatmap(lambda roll: right if roll else anything)


def _service() -> st.SearchStrategy[Any]:
    values = {key: _rarely_off(part, 0) for key, part in SERVICE_PARTS.items()}
    return st.lists(st.sampled_from(sorted(values)), max_size=5, unique=True).flatmap(
        lambda keys: st.fixed_dictionaries(
            {"image": st.just("shop"), **{key: values[key] for key in keys}}
        )
    )


_places = st.sampled_from(["web", "db", "a-b", "x" * 70, "ü"])
almost_right = st.fixed_dictionaries(
    {"services": st.dictionaries(_places, _service(), min_size=1, max_size=3)},
    optional={
        f"{kind}s": st.dictionaries(names, _rarely_off(_SCHEMA[kind], 0), max_size=3)
        for kind in ("network", "volume", "secret", "config")
    }
    | {"version": scalars, "x-note": anything},
)

# JSON is YAML, but for numbers that JSON has no form for: those become words.
documents = st.one_of(almost_right, anything, st.dictionaries(st.sampled_from(_TOP), anything)).map(
    json.dumps
)

_real = st.sampled_from(
    [path.read_text(encoding="utf-8") for paths in cases().values() for path in paths]
)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A real file in which a few spans are gone, doubled, or something else."""
    text = draw(_real)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 30)))
        put = draw(
            st.one_of(st.just(text[start:end] * 2), st.sampled_from(WORDS), st.text(max_size=4))
        )
        text = text[:start] + put + text[end:]
    return text


texts = st.one_of(documents, damaged(), st.text(max_size=60))
variables = st.dictionaries(
    st.sampled_from(["A", "B", "C", "TAG"]), st.one_of(st.sampled_from(WORDS), st.text(max_size=5))
)
contents = st.one_of(
    st.binary(max_size=30),
    st.text(max_size=30),
    st.sampled_from(
        [
            FileNotFoundError(2, "No such file or directory"),
            IsADirectoryError(21, "Is a directory"),
            PermissionError(13, "Permission denied"),
            OSError("no number"),
            ValueError("embedded null byte"),
        ]
    ),
)
