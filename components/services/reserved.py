"""What the phones need for themselves, and neither a stack nor the registry may take. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from components.compose import StackSpec

# Between the members of a swarm: orders to its managers, and gossip.
_SWARM_PORTS = ((2377, "tcp"), (7946, "tcp"), (7946, "udp"))


@dataclass(frozen=True, kw_only=True)
class Reserved:
    """``addresses`` are the phones', by name; ``ssh_ports`` those on which their sshd listen."""

    addresses: Mapping[str, str]
    ssh_ports: Collection[int]
    data_path_port: int

    def taken_by(self, spec: StackSpec) -> list[str]:
        """A line for each port and each network of the stack that would cut the phones off."""
        return [*self._ports(spec), *self._networks(spec)]

    def taken_by_registry(self, ports: Iterable[int]) -> Iterator[str]:
        """A line for each TCP port of the lab's registry that is another's."""
        for port in ports:
            if owner := self._owners.get((port, "tcp")):
                yield (
                    f"registry.port: {port}, one of those that it takes, is {owner}'s on every "
                    "phone; give another, such as 5080"
                )

    @property
    def _owners(self) -> dict[tuple[int, str], str]:
        return {
            **{(port, "tcp"): "SSH" for port in self.ssh_ports},
            **dict.fromkeys(_SWARM_PORTS, "Swarm"),
            (self.data_path_port, "udp"): "swarm.dataPathPort",
        }

    def _ports(self, spec: StackSpec) -> Iterator[str]:
        owners = self._owners
        for service in spec.services.values():
            for port in service.ports:
                owner = port.published and owners.get((port.published, port.protocol))
                if owner:
                    yield (
                        f"stacks.{spec.name}: services.{service.name}.ports: "
                        f"{port.published}/{port.protocol} is {owner}'s on every phone; "
                        "publish another"
                    )

    def _networks(self, spec: StackSpec) -> Iterator[str]:
        for key, network in spec.networks.items():
            # Other drivers may be there to put containers on the phones' own network.
            for subnet in network.subnets if network.driver == "overlay" else ():
                inside = [
                    name
                    for name, address in self.addresses.items()
                    if ip_address(address) in ip_network(subnet)
                ]
                if inside:
                    yield (
                        f"stacks.{spec.name}: networks.{key}: {subnet} holds the address of "
                        f"{', '.join(inside)}; choose a subnet that nothing else uses"
                    )
