"""What the lab tells a person when it can't go on."""

from __future__ import annotations


class LabError(Exception):
    """One readable line for each thing that is wrong: what it is and what to do about it."""
