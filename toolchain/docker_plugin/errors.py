"""Failures with a message that is fit for the person who runs Pulumi."""

from __future__ import annotations

from typing import Any


class PluginError(Exception):
    """One readable sentence; no secret in it."""


class EngineError(PluginError):
    """The Docker Engine answered a request with an error; `status` is HTTP's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class UnfinishedError(PluginError):
    """A resource exists, but is not what was asked for; `values` is what it is."""

    def __init__(self, resource_id: str, values: dict[str, Any], message: str) -> None:
        super().__init__(message)
        self.resource_id = resource_id
        self.values = values
