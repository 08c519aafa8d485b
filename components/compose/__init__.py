"""Compose files as typed values. Pure: no Pulumi, no Docker, no input or output of its own."""

from .loader import ComposeFile, load, load_files, required_variables
from .model import (
    Attachment,
    Build,
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
from .unused import unused_variables

__all__ = [
    "Attachment",
    "Build",
    "ComposeError",
    "ComposeFile",
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
    "load_files",
    "required_variables",
    "unused_variables",
]
