"""The docker provider for a swarm, reached through whichever of its managers answers."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_docker as docker

from . import dial
from .members.managers import Access
from .remote.ssh import Host

# From the folder of Pulumi.yaml, in which Pulumi starts its plugins: a plan must be the same in
# every checkout.
DIAL = "components/dial.py"
# Time to look for a manager while the first ones are off; what is dialled then is bounded there.
PATIENCE_SECONDS = 60


def provider(name: str, *, access: Access, after: pulumi.Resource) -> docker.Provider:
    """A provider whose resources live on the swarm; it dials when used."""
    return docker.Provider(
        name,
        host=access.managers.apply(lambda managers: address(managers[0])),
        ssh_opts=pulumi.Output.all(access.swarm_id, access.managers).apply(
            lambda known: ssh_options(known[0], known[1])
        ),
        opts=pulumi.ResourceOptions(depends_on=[after]),
    )


def address(manager: Mapping[str, Any]) -> str:
    """What the provider calls the swarm's address; :mod:`dial` decides which phone it is."""
    host = Host.from_inputs(manager)
    return f"ssh://{host.user}@{host.host}:{host.port}"


def ssh_options(swarm_id: str, managers: Sequence[Mapping[str, Any]]) -> list[str]:
    """Options for the ``ssh`` command: through :mod:`dial`, and nothing of the user's own."""
    hosts = [Host.from_inputs(manager) for manager in managers]
    keys = [host.host_key.split()[1] for host in hosts]
    places = [f"{host.host},{host.port},{key}" for host, key in zip(hosts, keys, strict=True)]
    command = ["python3", "-IS", DIAL, swarm_id, hosts[0].user, hosts[0].key_file, *places]
    options = [
        # ssh puts things of its own for what begins with a per cent sign.
        "ProxyCommand=" + shlex.join(command).replace("%", "%%"),
        *dial.ssh_options(hosts[0].key_file, keys),
        f"ConnectTimeout={PATIENCE_SECONDS}",
    ]
    return [part for option in options for part in ("-o", option)]
