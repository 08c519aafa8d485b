"""A lab's configuration: what a person wrote, checked as a whole, as typed frozen values."""

from .lab import Lab, Phone, Ssh, Stack, Wifi
from .loading import load
from .model import Engine, Swarm
from .namespaces import strays
from .problems import ConfigError

__all__ = [
    "ConfigError",
    "Engine",
    "Lab",
    "Phone",
    "Ssh",
    "Stack",
    "Swarm",
    "Wifi",
    "load",
    "strays",
]
