"""A lab as it is configured and as Pulumi last knew it, ready to be spoken to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from components import config
from components.config.lab import Lab as Configured
from components.remote.ssh import Host

from .errors import OperationError
from .pulumi_cli import ROOT, PulumiStack

NAMESPACE = "cloudlet:"


@dataclass(frozen=True, kw_only=True)
class Lab:
    """``hosts`` has every configured phone with its host key where that is known.

    ``swarm_id`` and ``pages``, addresses by title, are empty before the first `up`.
    """

    stack: PulumiStack
    configured: Configured
    hosts: Mapping[str, Host]
    swarm_id: str
    pages: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def managers(self) -> list[Host]:
        """Those that the configuration wants as managers; never empty."""
        return [self.hosts[phone.name] for phone in self.configured.managers]

    def host(self, phone: str) -> Host:
        """How the phone is reached; raises OperationError where the lab has none of this name."""
        try:
            return self.hosts[phone]
        except KeyError:
            raise OperationError(
                f"{self.stack.file.name} has no phone {phone!r}; it has {', '.join(self.hosts)}"
            ) from None


def open_lab(stack: PulumiStack) -> Lab:
    """The lab that the stack describes; no phone is reached.

    Raises:
        OperationError: with one line for each mistake in the configuration.
    """
    lab = configured(stack)
    known = stack.outputs()
    return Lab(
        stack=stack,
        configured=lab,
        hosts=hosts(lab, known.get("phones") or {}),
        swarm_id=known.get("swarmId") or "",
        pages=known.get("pages") or {},
    )


def own_values(stack: PulumiStack) -> dict[str, dict[str, Any]]:
    """The keys of the configuration that are cloudlet's, without their namespace."""
    values = stack.configuration().items()
    return {
        key.removeprefix(NAMESPACE): value for key, value in values if key.startswith(NAMESPACE)
    }


def hosts(configured: Configured, recorded: Mapping[str, Any]) -> dict[str, Host]:
    """How each phone is reached; ``recorded`` is the output ``phones`` of the last `up`."""
    return {
        name: Host(
            name=name,
            host=phone.ssh_host,
            port=phone.ssh_port,
            user=configured.ssh.user,
            key_file=str(configured.ssh.private_key_file),
            host_key=phone.host_key or recorded.get(name, {}).get("hostKey") or "",
        )
        for name, phone in configured.phones.items()
    }


def configured(stack: PulumiStack) -> Configured:
    """The lab's file, checked; raises as :func:`open_lab`."""
    values = own_values(stack)
    try:
        return config.load(
            {key: value["value"] for key, value in values.items()},
            root=ROOT,
            encrypted={key for key, value in values.items() if value["secret"]},
        )
    except config.ConfigError as error:
        raise OperationError(str(error)) from None
