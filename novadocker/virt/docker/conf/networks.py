# SPDX-License-Identifier: Apache-2.0
"""Address ranges in options of nova.conf."""

import ipaddress
from collections.abc import Iterable

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(texts: Iterable[str]) -> list[IPNetwork]:
    """Read networks.

    Args:
        texts: as CIDR, or single addresses.

    Returns:
        The networks.

    Raises:
        ValueError: one of them is no network.
    """
    return [ipaddress.ip_network(text) for text in texts]
