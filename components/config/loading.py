"""From the strings that Pulumi hands a program to a lab, or to everything that is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import cast

from pydantic import ValidationError

from components.members import quorum

from . import checks
from .fields import from_root
from .lab import Lab, Phone, Registry, Ssh, Stack, Static, Wifi
from .model import (
    KEYS,
    NUMBER_KEYS,
    TEXT_KEYS,
    Configuration,
    WrittenPhone,
    WrittenRegistry,
    WrittenStack,
    WrittenStatic,
)
from .problems import ConfigError, Problem, describe, once


def load(values: Mapping[str, str], *, root: Path, encrypted: Collection[str] | None = None) -> Lab:
    """The lab that ``values`` describe: keys without ``cloudlet:``, maps and lists as JSON text.

    ``root`` is the directory of Pulumi.yaml; stack files must exist, seen from there. With
    ``encrypted``, the keys that Pulumi holds as secrets, a secret in plain text is a mistake.
    Raises ConfigError with every mistake; no message holds the value of a secret.
    """
    raw, problems = _parse(values)
    written, found = _validate(raw)
    reported = {problem.path for problem in problems}
    problems += [problem for problem in found if problem.path not in reported]
    document = checks.Written(raw, problems)
    problems = once([*problems, *checks.across(document, root=root, encrypted=encrypted)])
    if written is None or problems:
        raise ConfigError(str(problem) for problem in sorted(problems, key=_place))
    return _lab(written, root)


def _parse(values: Mapping[str, str]) -> tuple[dict[str, object], list[Problem]]:
    raw: dict[str, object] = {}
    problems: list[Problem] = []
    for key, text in values.items():
        looks_like_json = text.lstrip()[:1] in ("{", "[")
        if key in TEXT_KEYS:
            if looks_like_json and _is_json_map(text):
                problems.append(Problem(path=(key,), text="must be text, not a map"))
            else:
                raw[key] = text
        elif not text.strip() and key in KEYS:
            problems.append(Problem(path=(key,), text="is empty; fill it in or remove the key"))
        elif key in NUMBER_KEYS and re.fullmatch(r"-?[0-9]{1,9}", text.strip()):
            raw[key] = int(text)
        elif looks_like_json:
            doubled: list[str] = []
            try:
                raw[key] = _json(text, doubled)
            except ValueError as error:
                why = (
                    error.msg
                    if isinstance(error, json.JSONDecodeError)
                    else "no such number or character"
                )
                problems.append(Problem(path=(key,), text=f"is not valid JSON: {why}"))
            problems += [
                Problem(path=(key,), text=f"{name!r} is given twice", spoils=False)
                for name in doubled
            ]
        else:
            raw[key] = text
    return raw, problems


def _json(text: str, doubled: list[str]) -> object:
    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        names = [name for name, _ in pairs]
        doubled.extend(sorted({name for name in names if names.count(name) > 1}))
        return dict(pairs)

    value = cast("object", json.loads(text, object_pairs_hook=unique))
    json.dumps(value, ensure_ascii=False).encode()  # refuses half a surrogate pair
    return value


def _is_json_map(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _validate(raw: Mapping[str, object]) -> tuple[Configuration | None, list[Problem]]:
    try:
        return Configuration.model_validate(raw), []
    except ValidationError as error:
        return None, describe(error, Configuration)


def _place(problem: Problem) -> int:
    """Problems go by the key that they start with, as the documentation lists the keys."""
    first = str(problem.path[0])
    return KEYS.index(first) if first in KEYS else len(KEYS)


def _lab(written: Configuration, root: Path) -> Lab:
    phones = {
        name: _phone(name, written.phones[name]) for name in sorted(written.phones, key=_natural)
    }
    managers = [phone for phone in phones.values() if phone.role == "manager"]
    wifi = None
    if written.wifi is not None and written.wifi_password is not None:
        wifi = Wifi(
            ssid=written.wifi.ssid,
            password=written.wifi_password,
            forget=tuple(written.wifi.forget),
            static=_static(written.wifi.static),
        )
    return Lab(
        phones=MappingProxyType(phones),
        ssh=Ssh(
            user=written.ssh.user,
            private_key_file=from_root(root, written.ssh.private_key_file),
        ),
        password=written.password,
        wifi=wifi,
        stacks=MappingProxyType(
            {
                name: Stack(
                    name=name,
                    files=tuple(from_root(root, file) for file in _files(stack)),
                    variables=MappingProxyType(stack.variables),
                )
                for name, stack in sorted(written.stacks.items())
            }
        ),
        lock=None if written.lock is None else from_root(root, written.lock),
        secrets=MappingProxyType(dict(sorted(written.secrets.items()))),
        routing=written.routing,
        entry_address=written.entry_address or managers[0].address,
        engine=written.engine,
        registry=_registry(written.registry),
        swarm=written.swarm,
        token_epoch=written.token_epoch,
        cleanup=frozenset(written.cleanup),
        warnings=_warnings(written, len(managers)),
    )


def _static(written: WrittenStatic | None) -> Static | None:
    if written is None:
        return None
    return Static(
        gateway=written.gateway,
        prefix=written.prefix,
        dns=tuple(written.dns) or (written.gateway,),
    )


def _registry(written: WrittenRegistry | None) -> Registry | None:
    if written is None:
        return None
    number, unit = int(written.cache_size[:-1]), written.cache_size[-1]
    return Registry(
        phone=written.phone,
        port=written.port,
        cache_mb=number * (1024 if unit == "g" else 1),
    )


def _files(written: WrittenStack) -> Sequence[str]:
    """The checks have seen to it that there is one of the two keys."""
    return [written.file] if written.file is not None else written.files or []


def _phone(name: str, written: WrittenPhone) -> Phone:
    return Phone(
        name=name,
        address=written.address,
        role=written.role,
        ssh_host=written.address if written.ssh is None else written.ssh.host,
        ssh_port=22 if written.ssh is None else written.ssh.port,
        host_key=written.host_key,
        labels=MappingProxyType(dict(sorted(written.labels.items()))),
        availability=written.availability,
    )


def _warnings(written: Configuration, managers: int) -> tuple[str, ...]:
    cost = quorum.cost_of_even(managers)
    warnings = [] if cost is None else [f"phones: {cost}"]
    if written.wifi is None and written.wifi_password is not None:
        warnings.append("wifiPassword: is not used, as there is no wifi")
    return tuple(warnings)


def _natural(name: str) -> tuple[tuple[int, str], ...]:
    """Sorts phone-2 before phone-10."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name)
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in parts)
