"""A swarm that one manager takes over alone, from what it knows: ``--force-new-cluster``."""

from __future__ import annotations

import time
from typing import Any

from components.members.managers import cluster_id, nodes_by_id, swarm_state
from components.remote.engine_api import EngineError, engine
from components.remote.ssh import Host, PhoneError
from components.swarm_init import LISTEN

from .errors import OperationError
from .labs import Lab

# Docker restarts its swarm part, which elects itself; a phone's flash is slow.
SECONDS = 90.0


def take_over(lab: Lab, host: Host) -> str:
    """Makes ``host`` the swarm's only manager; the swarm's id, which stays as it was.

    The other managers are managers no more; those that are on again come back as workers, under
    their old node ids. Safe to do again.

    Raises:
        OperationError: it does not lead the swarm after all.
    """
    swarm = lab.configured.swarm
    request: dict[str, Any] = {
        "ForceNewCluster": True,
        "ListenAddr": LISTEN,
        "AdvertiseAddr": lab.configured.phones[host.name].address,
        # Docker keeps these beside the swarm's own record, and takes them from here.
        "DefaultAddrPool": [swarm.address_pool],
        "SubnetSize": swarm.address_pool_mask,
        "DataPathPort": swarm.data_path_port,
    }
    deadline = time.monotonic() + SECONDS
    _wait_until_manager(host, deadline)
    with engine(host, SECONDS) as client:
        client.post("/swarm/init", request)
    while True:
        reason = "it has no leader yet"
        try:
            with engine(host) as client:
                nodes_by_id(client)
                if found := cluster_id(swarm_state(client)):
                    return found
        except PhoneError as error:
            reason = error.reason if isinstance(error, EngineError) else str(error)
        if time.monotonic() > deadline:
            raise OperationError(f"{host.name} did not take the swarm over: {reason}")
        time.sleep(0.5)


def _wait_until_manager(host: Host, deadline: float) -> None:
    """Docker that was just started needs a moment; asked too early, it never answers again."""
    while True:
        with engine(host) as client:
            state = swarm_state(client)
        if state["ControlAvailable"]:
            return
        if time.monotonic() > deadline:
            raise OperationError(
                f"{host.name} did not come up as a manager; its swarm state is "
                f"{state['LocalNodeState']}"
                + (f" ({state['Error']})" if state.get("Error") else "")
            )
        time.sleep(0.5)
