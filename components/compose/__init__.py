"""Compose files as typed values. Pure: no Pulumi, no Docker, no input or output of its own."""

from .loader import load, required_variables
from .model import (
    Attachment,
    Content,
    FileReference,
    Healthcheck,
    Logging,
    Mount,
    Network,
    Placement,
    Port,
    Resources,
    RestartPolicy,
    Service,
    StackSpec,
    UpdatePolicy,
)
from .report import ComposeError
from .together import conflicts
from .units import go_duration

__all__ = [
    "Attachment",
    "ComposeError",
    "Content",
    "FileReference",
    "Healthcheck",
    "Logging",
    "Mount",
    "Network",
    "Placement",
    "Port",
    "Resources",
    "RestartPolicy",
    "Service",
    "StackSpec",
    "UpdatePolicy",
    "conflicts",
    "go_duration",
    "load",
    "required_variables",
]
