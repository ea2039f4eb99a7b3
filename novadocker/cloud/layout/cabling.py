# SPDX-License-Identifier: Apache-2.0
"""Cables between compute hosts: hubs on the machine, ends at the hosts, addresses.

A cloud of one host has none. With more hosts there are three networks, as in a machine room:
management (APIs, messages, streams between hosts), tunnel (tenants' packets between switches)
and, with OVN, external (floating addresses).
"""

import hashlib
import ipaddress
from dataclasses import dataclass
from pathlib import Path

# Benchmarks' own range: in use on hardly any machine, and never routed.
_MANAGEMENT, _TUNNEL = (
    ipaddress.IPv4Network("198.18.0.0/16"),
    ipaddress.IPv4Network("198.19.0.0/16"),
)
_PREFIX_LENGTH = 24


@dataclass(frozen=True)
class Cable:
    """Cable of a host to a hub.

    Attributes:
        hub: kernel bridge on the machine.
        plug: end at the hub.
        end: end at the host; an interface of the host's network namespace, if any.
        address: address of the end's owner, with the network's prefix length.
    """

    hub: str
    plug: str
    end: str
    address: ipaddress.IPv4Interface | None = None


@dataclass(frozen=True)
class Cabling:
    """Names and addresses of a cloud's cables.

    Attributes:
        state: state directory, by which two clouds have different names.
        floating: floating addresses are reached on each host, and not by way of the first.
    """

    state: Path
    floating: bool

    @property
    def hubs(self) -> tuple[str, ...]:
        """Kernel bridges, each for a network."""
        kinds = ("m", "t", "x") if self.floating else ("m", "t")
        return tuple(self._hub(kind) for kind in kinds)

    @property
    def management_hub(self) -> str:
        """Bridge of the management network, with an address of the control plane."""
        return self._hub("m")

    def management(self, number: int) -> Cable:
        """Return a host's cable for messages and APIs.

        Args:
            number: the host's, from 1; the first one is where the control plane is.
        """
        return self._cable("m", number, "management", _MANAGEMENT)

    def tunnel(self, number: int) -> Cable:
        """Return a host's cable for tenants' packets."""
        return self._cable("t", number, "tunnel", _TUNNEL)

    def external(self, number: int) -> Cable:
        """Return a host's cable for floating addresses."""
        return self._cable("x", number, "external", None)

    def namespace(self, name: str) -> str:
        """Return the network namespace of a host."""
        return f"{name}-{self._digest[:6]}"

    def _hub(self, kind: str) -> str:
        return f"nd{kind}{self._digest[:6]}"

    def _cable(
        self, kind: str, number: int, end: str, network: ipaddress.IPv4Network | None
    ) -> Cable:
        hub = self._hub(kind)
        first = number == 1
        # The first host lives where the hubs are, so that names of the end may clash there.
        name = f"{hub}e" if first else end
        address = self._address(network, number) if network else None
        return Cable(hub, f"{hub}-{number}", name, address)

    def _address(self, network: ipaddress.IPv4Network, number: int) -> ipaddress.IPv4Interface:
        # Clouds of several state directories, each in a namespace of its own, may be one network.
        third = int(self._digest[:2], 16)
        return ipaddress.IPv4Interface(f"{network[third * 256 + number]}/{_PREFIX_LENGTH}")

    @property
    def _digest(self) -> str:
        return hashlib.sha256(str(self.state).encode()).hexdigest()
