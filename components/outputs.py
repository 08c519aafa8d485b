"""What `pulumi stack output` shows: where to look, and which phones there are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pulumi

from .compose import StackSpec
from .phone import Phone

PAGE_LABEL = "cloudlet.page."


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
    """One phone's address, pinned host key and facts."""
    return {"address": made.address, "hostKey": made.host["host_key"], "facts": made.facts}
