"""What `pulumi stack output` shows: where to look, and which phones there are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pulumi

from .compose import StackSpec
from .phone import Phone

PAGE_LABEL = "cloudlet.page"


def pages(stacks: Iterable[StackSpec], entry_address: str) -> dict[str, str]:
    """The address of each page that a service's label ``cloudlet.page`` gives a title.

    The page is at the service's first published port.
    """
    return {
        service.labels[PAGE_LABEL]: f"http://{entry_address}:{service.ports[0].published}"
        for stack in stacks
        for service in stack.services.values()
        if PAGE_LABEL in service.labels and service.ports and service.ports[0].published
    }


def phone(made: Phone) -> dict[str, pulumi.Input[Any]]:
    """One phone's address, pinned host key and facts."""
    return {"address": made.address, "hostKey": made.host["host_key"], "facts": made.facts}
