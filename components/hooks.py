"""Work that a resource hook does: on threads of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# Pulumi's own threads may all be waiting for registrations, each of which waits for its hook: a
# hook that asked for one of them (`asyncio.to_thread`) would wait for ever.
_threads = ThreadPoolExecutor(max_workers=32, thread_name_prefix="hook")


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What ``work`` returns; it may block."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads, lambda: work(*args, **kwargs))
