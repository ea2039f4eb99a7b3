# SPDX-License-Identifier: Apache-2.0
"""What stands behind the agent: the VRFs that carry packets, and what the control node knows."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from novadocker.cloud.doubles.opensdn.port import Port


@dataclass(frozen=True)
class Ipam:
    """One subnet of a virtual network.

    Attributes:
        prefix: network and length, "10.0.0.0/24".
        gateway: the vRouter's own address in it.
        dns: the resolver's address in it.
    """

    prefix: str
    gateway: str
    dns: str


class DataPlane(ABC):
    """Carries packets for the ports that were announced.

    Called by one thread at a time. What it raises is kept in the agent's ``troubles``; whoever
    announced the port does not learn of it, as with the agent.
    """

    @abstractmethod
    def attach(self, port: Port) -> None:
        """Put a port's interface into the VRF of its virtual network. Idempotent.

        Args:
            port: its ``system_name`` is the interface, its ``vn_id`` the virtual network.
        """

    @abstractmethod
    def detach(self, port: Port) -> None:
        """Take a port's interface out of its VRF; it may be gone already. Idempotent.

        Args:
            port: as it was attached.
        """

    def ipams(self, vn_id: str) -> list[Ipam] | None:
        """Tell what the control node said of a virtual network.

        Args:
            vn_id: its id.

        Returns:
            Its subnets; None while nothing is known of it.
        """
        return None

    def close(self) -> None:  # noqa: B027 - optional
        """Let go of everything; the agent ends."""


@dataclass
class NoPackets(DataPlane):
    """Remembers what it was told, and carries nothing.

    Attributes:
        attached: the ports by the name of their interface.
        networks: what ``ipams`` tells.
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
        """Tell what a test has put there."""
        return self.networks.get(vn_id)
