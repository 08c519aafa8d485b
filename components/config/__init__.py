"""A lab's configuration: what a person wrote, checked as a whole, as typed frozen values."""

from components.config.lab import Lab, Phone, Ssh, Stack, Wifi
from components.config.loading import load
from components.config.model import Engine, Swarm
from components.config.namespaces import strays
from components.config.problems import ConfigError

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
