"""Prints where to look after an `up`: it reads ``pulumi stack output --json`` on standard input."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

COLUMNS = ("phone", "address", "model", "architecture", "Docker", "memory", "battery")
# Under which secret of the lab the stacks of this checkout keep the password of a page.
PASSWORDS = {"Portainer": "PORTAINER_ADMIN_PASSWORD", "RabbitMQ": "RABBITMQ_PASSWORD"}


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines, each column as wide as its widest cell."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def summary(outputs: Mapping[str, Any], stack: str) -> list[str]:
    """The lines for a person, from the program's outputs."""
    lines: list[str] = []
    if outputs.get("pages"):
        lines += ["", "Where to look"]
        lines += [f"  {line}" for line in table(list(outputs["pages"].items()))]
    secrets = [PASSWORDS[title] for title in outputs.get("pages") or () if title in PASSWORDS]
    if secrets:
        lines += ["", "Passwords are in the configuration. To see them:", '  eval "$(make -s env)"']
        lines += [
            f"  pulumi config get --stack {stack} --path secrets.{secret}" for secret in secrets
        ]
    if outputs.get("phones"):
        rows = [COLUMNS, *(_row(name, phone) for name, phone in outputs["phones"].items())]
        lines += ["", *table(rows)]
    return lines


def _row(name: str, phone: Mapping[str, Any]) -> tuple[str, ...]:
    facts = phone["facts"]
    battery = f"{facts['batteryPercent']} %" if "batteryPercent" in facts else "-"
    return (
        name,
        phone["address"],
        facts["model"],
        facts["architecture"],
        facts["dockerVersion"],
        f"{facts['memoryMB']} MB",
        battery,
    )


if __name__ == "__main__":
    print("\n".join(summary(json.load(sys.stdin), sys.argv[1])))
