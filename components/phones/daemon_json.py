"""Docker's ``daemon.json``: our keys put into somebody else's file and taken out again. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from components.images.registry_place import RegistryPlace

# What a running Docker takes up without a restart.
_RELOADED = frozenset({"insecure-registries", "registry-mirrors"})
_LISTS = ("registry-mirrors", "insecure-registries")


class DaemonJsonError(ValueError):
    """The file on the phone is not what Docker would accept; the text says why."""


def wanted(
    *,
    registry_mirror: str | None,
    log_max_size: str,
    log_max_files: int,
    registry: RegistryPlace | None = None,
) -> dict[str, Any]:
    """The keys that cloudlet sets: bounded logs, and the lab's mirror and registry if any.

    The registry's cache is asked first. Where it does not answer, Docker goes on to the mirror
    and to Docker Hub.
    """
    keys: dict[str, Any] = {
        "log-driver": "local",
        "log-opts": {"max-size": log_max_size, "max-file": str(log_max_files)},
    }
    mirrors = [f"http://{registry.cache}"] if registry else []
    if registry_mirror:
        mirrors.append(registry_mirror)
    insecure = [registry.images] if registry else []
    for mirror in mirrors:
        scheme, _, place = mirror.partition("://")
        if scheme == "http":
            insecure.append(place.rstrip("/"))
    if mirrors:
        keys["registry-mirrors"] = mirrors
    if insecure:
        keys["insecure-registries"] = insecure
    return keys


def differ_in_registries(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether it is just where images are pulled from that two sets of keys differ in."""
    return _differing(one, other) <= _RELOADED


def is_reloaded(current: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether a Docker that runs takes up the difference without a restart.

    Of a key that is gone it keeps what it said.
    """
    return _differing(current, new) <= _RELOADED & new.keys()


def reloaded(current: Any, new: Any) -> str:
    """What a running Docker takes up without a restart, in words; nothing if it must restart."""
    if not isinstance(current, Mapping) or not isinstance(new, Mapping):
        return ""
    one, other = cast("Mapping[str, Any]", current), cast("Mapping[str, Any]", new)
    if not is_reloaded(one, other):
        return ""
    keys = ", ".join(sorted(_differing(one, other)))
    return f"other {keys}; Docker takes them up without a restart"


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> set[str]:
    return {key for key in (*one, *other) if one.get(key) != other.get(key)}


def parse(text: str) -> dict[str, Any]:
    """The file's object; an empty or missing file is an empty one.

    Raises:
        DaemonJsonError: the text is not a JSON object, or Docker would refuse it for a key of ours.
    """
    if not text.strip():
        return {}
    try:
        value = json.loads(text)
    except ValueError as error:
        raise DaemonJsonError(f"is not JSON ({error})") from None
    if not isinstance(value, dict):
        raise DaemonJsonError("is not a JSON object")
    found = cast(dict[str, Any], value)
    for key in _LISTS:
        if not isinstance(found.get(key) or [], list):
            raise DaemonJsonError(f"has no list as {key}, which Docker refuses")
    return found


def merge(found: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    """``found`` with ``ours`` in it: lists grow by what they lack, other keys become ours."""
    result = dict(found)
    for key, value in ours.items():
        if key in _LISTS:
            held: list[Any] = result.get(key) or []
            result[key] = held + [item for item in value if item not in held]
        else:
            result[key] = value
    return result


def unmerge(
    current: Mapping[str, Any], ours: Mapping[str, Any], found: Mapping[str, Any]
) -> dict[str, Any]:
    """``current`` without ``ours``, with what ``found`` had in their place.

    A key that somebody has changed since is theirs now and stays.
    """
    result = dict(current)
    for key, value in ours.items():
        if key in _LISTS:
            kept: list[Any] = found.get(key) or []
            held: list[Any] = result.get(key) or []
            rest = [item for item in held if item not in value or item in kept]
            if rest or key in found:
                result[key] = rest or found.get(key, rest)
            else:
                result.pop(key, None)
        elif result.get(key) == value:
            if key in found:
                result[key] = found[key]
            else:
                del result[key]
    return result


def registries(value: Mapping[str, Any]) -> dict[str, Any]:
    """Where images come from, of what a file says."""
    return {key: value[key] for key in _LISTS if key in value}


def dump(value: Mapping[str, Any]) -> str:
    """The text of the file, or nothing where there is nothing to say."""
    return json.dumps(value, indent=2) + "\n" if value else ""
