"""The docker provider for a swarm, reached through a manager's SSH."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_docker as docker

from .ssh import CONNECT_SECONDS, Host


def provider(
    name: str, *, host: pulumi.Output[dict[str, Any]], after: pulumi.Resource
) -> docker.Provider:
    """A provider whose resources live on the swarm that ``host`` manages; it dials when used."""
    return docker.Provider(
        name,
        host=host.apply(
            lambda known: f"ssh://{known['user']}@{known['host']}:{int(known['port'])}"
        ),
        ssh_opts=host.apply(lambda known: ssh_options(Host.from_inputs(known))),
        opts=pulumi.ResourceOptions(depends_on=[after]),
    )


def ssh_options(host: Host) -> list[str]:
    """Options for the ``ssh`` command: this key, this host key, nothing of the user's own.

    The known host comes from a command, so that no file has to be written and taken away again
    (OpenSSH 8.5 and newer).
    """
    options = [
        f"IdentityFile={host.key_file}",
        "IdentitiesOnly=yes",
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        "UserKnownHostsFile=/dev/null",
        "GlobalKnownHostsFile=/dev/null",
        f"KnownHostsCommand=/bin/echo %H {host.host_key}",
        f"ConnectTimeout={CONNECT_SECONDS:.0f}",
        "ServerAliveInterval=15",
    ]
    return [part for option in options for part in ("-o", option)]
