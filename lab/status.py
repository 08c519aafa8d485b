"""The table that `lab status` prints."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from lab import machine_images
from lab.docker import Container, Docker
from lab.names import Lab

_HEADER = ("PHONE", "KIND", "STATE", "ADDRESS", "SSH", "MEMORY", "IMAGE")
# docker stats knows nothing of a container that renamed its interface; its own cgroup does.
_MEMORY = (
    "cat /sys/fs/cgroup/memory/memory.stat /sys/fs/cgroup/memory.stat 2>/dev/null; "
    "cat /sys/fs/cgroup/memory/memory.usage_in_bytes /sys/fs/cgroup/memory.current 2>/dev/null"
)


def table(docker: Docker, lab: Lab) -> str:
    """One line for each phone and the registry; what is off is in it too."""
    there = docker.of_lab(lab.name)
    phones = [each for each in lab.phones(99) if each.container in there]
    tag = machine_images.phone_tag()

    def row(number: int) -> tuple[str, ...]:
        phone = phones[number]
        found = there[phone.container]
        return (
            phone.name,
            str(found.kind),
            found.status,
            phone.address,
            f"{lab.loopback}:{phone.ssh_port}",
            _memory(docker, found),
            "current" if found.image == tag else "older",
        )

    with ThreadPoolExecutor(max_workers=8) as pool:
        rows = list(pool.map(row, range(len(phones))))
    registry = there.get(lab.registry)
    if registry is not None:
        memory = _memory(docker, registry)
        rows.append(("registry", "-", registry.status, lab.registry_address, "-", memory, "-"))
    return aligned([_HEADER, *rows])


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _memory(docker: Docker, container: Container) -> str:
    if not container.running:
        return "-"
    done = docker.try_run("exec", container.name, "sh", "-c", _MEMORY, timeout=5)
    used = memory_used(done.out)
    return "?" if used is None else f"{used / 2**20:.0f} MiB"


def memory_used(text: str) -> int | None:
    """Bytes in use without reclaimable page cache, from a cgroup's memory.stat and usage."""
    lines = text.split("\n")
    usage = next((int(line) for line in lines if line.isdigit()), None)
    if usage is None:
        return None
    for name in ("total_inactive_file", "inactive_file"):
        for line in lines:
            if line.startswith(f"{name} "):
                return max(0, usage - int(line.split()[1]))
    return usage
