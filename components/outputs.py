"""What `pulumi stack output` shows: where to look, and which phones there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pulumi

from .compose import StackSpec
from .phone import Phone

PAGE_LABEL = "cloudlet.page."
# What survey.sh calls its facts and what an output does; of numbers, how many make one unit.
_TEXTS = {
    "model": "model",
    "architecture": "architecture",
    "os": "os",
    "kernel": "kernel",
    "docker_version": "dockerVersion",
}
_NUMBERS = {
    "memory_mb": ("memoryMB", 1),
    "free_disk_mb": ("freeDiskMB", 1),
    "battery_percent": ("batteryPercent", 1),
    "battery_decidegrees": ("batteryCelsius", 10),
}


def pages(stacks: Iterable[StackSpec], entry_address: str) -> dict[str, str]:
    """Addresses of pages by title: a label ``cloudlet.page.PORT`` of a service holds the title."""
    return {
        title: f"http://{entry_address}:{label.removeprefix(PAGE_LABEL)}"
        for stack in stacks
        for service in stack.services.values()
        for label, title in service.labels.items()
        if label.startswith(PAGE_LABEL)
    }


def phone(made: Phone) -> dict[str, pulumi.Input[Any]]:
    """One phone's address, pinned host key and what is known of it, see :func:`facts`."""
    return {
        "address": made.address,
        "hostKey": made.host["host_key"],
        "facts": made.facts.apply(facts),
    }


def facts(told: Mapping[str, str]) -> dict[str, str | float]:
    """What a phone told of itself, under names that carry their unit, and nothing else."""
    named: dict[str, str | float] = {
        name: told[key] for key, name in _TEXTS.items() if told.get(key)
    }
    for key, (name, part) in _NUMBERS.items():
        if told.get(key):
            named[name] = int(told[key]) / part if part > 1 else int(told[key])
    return named
