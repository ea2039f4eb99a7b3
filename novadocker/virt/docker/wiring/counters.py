# SPDX-License-Identifier: Apache-2.0
"""Traffic counters of a server's ports, read at the host ends.

Asked by netlink, which needs no rights and sees the namespace that we are in; ``/sys`` may be
another's. What the host end sends is what the server receives.
"""

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from pyroute2 import IPRoute

from novadocker.virt.docker.wiring.plan import host_device
from novadocker.virt.docker.wiring.veth import link_named


@dataclass(frozen=True)
class Traffic:
    """Traffic in one direction.

    Attributes:
        octets: bytes.
        packets: packets.
        errors: packets lost by an error.
        drops: packets dropped.
    """

    octets: int
    packets: int
    errors: int
    drops: int


@dataclass(frozen=True)
class Counters:
    """Traffic of a port in both directions, as seen from the server.

    Attributes:
        mac: MAC address.
        device: name of the host end.
        received: by the server; None where the port is not plugged.
        sent: by the server; None where the port is not plugged.
    """

    mac: str
    device: str
    received: Traffic | None = None
    sent: Traffic | None = None

    @classmethod
    def parse(cls, vif: Mapping[str, Any], link: Any) -> Self:
        """Read the kernel's answer.

        Args:
            vif: Nova's VIF.
            link: the netlink message of its host end, or None.

        Returns:
            The value.
        """
        mac, device = vif["address"], host_device(vif)
        told = link and (link.get_attr("IFLA_STATS64") or link.get_attr("IFLA_STATS"))
        if not told:
            return cls(mac, device)
        return cls(mac, device, received=_traffic(told, "tx"), sent=_traffic(told, "rx"))


def counters_of(network_info: Iterable[Mapping[str, Any]]) -> list[Counters]:
    """Read the traffic of ports.

    Args:
        network_info: Nova's.

    Returns:
        The ports' counters, in their order.
    """
    with contextlib.closing(IPRoute()) as ip:
        return [Counters.parse(vif, link_named(ip, host_device(vif))) for vif in network_info]


def _traffic(told: Mapping[str, int], way: str) -> Traffic:
    return Traffic(
        octets=told[f"{way}_bytes"],
        packets=told[f"{way}_packets"],
        errors=told[f"{way}_errors"],
        drops=told[f"{way}_dropped"],
    )
