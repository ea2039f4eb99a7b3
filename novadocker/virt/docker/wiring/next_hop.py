# SPDX-License-Identifier: Apache-2.0
"""Next hops that no kernel takes. Pure.

Neutron accepts any address of the destination's family as a host route's next hop, and as a
subnet's gateway.
"""

import ipaddress
from collections.abc import Collection

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface

_LIMITED_BROADCAST = ipaddress.IPv4Address("255.255.255.255")
_SMALLEST_BROADCAST_NETWORK = 30


def fault_of(gateway: str, destination: str, own: Collection[Interface]) -> str | None:
    """Name the reason why nothing can be sent by a next hop.

    Args:
        gateway: address of the next hop.
        destination: network that it should lead to.
        own: all addresses of the server.

    Returns:
        Phrase that completes "the next hop …"; None for a sound one.
    """
    hop = ipaddress.ip_address(gateway)
    if hop.version != ipaddress.ip_network(destination).version:
        return f"is of IPv{hop.version}, the destination is not"
    if hop.is_multicast:
        return "is a multicast address"
    if hop.is_loopback:
        return "is a loopback address"
    if hop in {address.ip for address in own}:
        return "is an address of this server"
    if hop == _LIMITED_BROADCAST or any(_broadcasts(hop, address) for address in own):
        return "is a broadcast address"
    return None


def _broadcasts(hop: Address, own: Interface) -> bool:
    if isinstance(own, ipaddress.IPv6Interface):
        return False
    is_wide = own.network.prefixlen <= _SMALLEST_BROADCAST_NETWORK
    return is_wide and hop == own.network.broadcast_address
