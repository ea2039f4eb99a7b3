# SPDX-License-Identifier: Apache-2.0
"""Data plane of the agent: VRFs for packets, and the control node's knowledge."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from novadocker.cloud.doubles.opensdn.port import Port


@dataclass(frozen=True)
class Ipam:
    """Subnet of a virtual network.

    Attributes:
        prefix: network and length, "10.0.0.0/24".
        gateway: the vRouter's own address in it.
        dns: the resolver's address in it.
    """

    prefix: str
    gateway: str
    dns: str


class DataPlane(ABC):
    """Carrier of packets for announced ports.

    Called by one thread at a time. What it raises is kept in the agent's ``troubles``; whoever
    announced the port does not learn of it, as with the agent.
    """

    @abstractmethod
    def attach(self, port: Port) -> None:
        """Put a port's interface into the VRF of the virtual network. Idempotent.

        Args:
            port: ``system_name`` is the interface, ``vn_id`` the virtual network.
        """

    @abstractmethod
    def detach(self, port: Port) -> None:
        """Take a port's interface out of the VRF, also after the interface has gone. Idempotent.

        Args:
            port: as it was attached.
        """

    def ipams(self, vn_id: str) -> list[Ipam] | None:
        """Return the control node's answer on a virtual network.

        Args:
            vn_id: UUID of the virtual network.

        Returns:
            Its subnets; None while nothing is known of it.
        """
        return None

    def close(self) -> None:  # noqa: B027 - optional
        """Let go of everything; the agent ends."""


@dataclass
class NoPackets(DataPlane):
    """Data plane without packets: calls are remembered.

    Attributes:
        attached: the ports by the name of their interface.
        networks: answers of ``ipams``, by id.
    """

    attached: dict[str, Port] = field(default_factory=dict)
    networks: dict[str, list[Ipam]] = field(default_factory=dict)

    def attach(self, port: Port) -> None:
        """Remember a port."""
        self.attached[port.system_name] = port

    def detach(self, port: Port) -> None:
        """Forget a port."""
        self.attached.pop(port.system_name, None)

    def ipams(self, vn_id: str) -> list[Ipam] | None:
        """Return the answer put there by a test."""
        return self.networks.get(vn_id)
