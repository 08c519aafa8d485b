"""What changes, from what to what, in words; a plan of Pulumi's names the keys alone. Pure.

What a preview cannot know yet is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from pulumi.output import Unknown

from .compose.units import SECOND
from .images.image_names import familiar

# What of a phone's connection a person has configured, by the property of :class:`ssh.Host`.
_WAYS = {"host": "SSH host", "port": "SSH port", "user": "SSH user", "key_file": "key"}
NOTHING = "none"


def difference(key: str, old: Any, new: Any) -> Iterator[str]:
    """``availability active → drain``; nothing where the two are the same or one is not known."""
    if old != new and not isinstance(old, Unknown) and not isinstance(new, Unknown):
        yield f"{key} {_shown(old)} → {_shown(new)}"


def differences(olds: Any, news: Any, prefix: str = "") -> Iterator[str]:
    """One for each key of two maps."""
    if isinstance(olds, Mapping) and isinstance(news, Mapping):
        one, other = cast("Mapping[str, Any]", olds), cast("Mapping[str, Any]", news)
        for key in sorted({*one, *other}):
            yield from difference(f"{prefix}{key}", one.get(key), other.get(key))


def setting(aspect: str, old: Any, new: Any) -> Iterator[str]:
    """What a phone is to be like, by its aspect in :mod:`phones.aspects`."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from differences(old, new, "daemon.json: ")
    else:
        yield from difference(aspect, old, new)


def settings(olds: Mapping[str, Any], news: Mapping[str, Any]) -> Iterator[str]:
    """The swarm's own, whose periods are nanoseconds as text."""
    for key in ("heartbeat", "certificate_expiry"):
        one, other = (int(each[key]) / SECOND for each in (olds, news))
        yield from difference(f"{key.replace('_', ' ')} in seconds", one, other)


def way(olds: Any, news: Any) -> Iterator[str]:
    """How a phone is reached, ``olds`` and ``news`` being a host's properties."""
    if isinstance(olds, Mapping) and isinstance(news, Mapping):
        one, other = cast("Mapping[str, Any]", olds), cast("Mapping[str, Any]", news)
        for key, word in _WAYS.items():
            yield from difference(word, one.get(key), other.get(key))
        if any(difference("host key", one.get("host_key"), other.get("host_key"))):
            yield "another host key"


def member(olds: Mapping[str, Any], news: Mapping[str, Any]) -> Iterator[str]:
    """A phone's place in the swarm."""
    for key in ("role", "availability"):
        yield from difference(key, olds.get(key), news[key])
    yield from differences(olds.get("labels"), news["labels"], "label ")


def service(olds: Mapping[str, str], news: Mapping[str, str]) -> list[str]:
    """What of a service's definition is another, by :func:`fingerprints.spec_parts` of then and
    now: what its image is, and of all else just that it changed."""
    keys = dict.fromkeys([*news, *olds])
    changed = [key for key in keys if olds.get(key) != news.get(key)]
    told = [key.replace("_", " ") for key in changed if key != "image"]
    if "image" in changed:
        told.insert(0, f"image {familiar(olds['image'])} → {familiar(news['image'])}")
    return told


def _shown(value: Any) -> str:
    if value is None or value == "":
        return NOTHING
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_shown(each) for each in cast("Sequence[Any]", value)) or NOTHING
    return str(value)
