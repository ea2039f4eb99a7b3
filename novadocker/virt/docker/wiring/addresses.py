# SPDX-License-Identifier: Apache-2.0
"""Addresses of a container's interfaces, settled within the namespace. See ``privileged``.

Addresses of the driver bear a mark. A server that was granted NET_ADMIN gives itself others,
VRRP's for one, and keeps them.
"""

import ipaddress
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pyroute2 import IPRoute

from novadocker.virt.docker.wiring.next_hop import Interface
from novadocker.virt.docker.wiring.outcome import Outcome
from novadocker.virt.docker.wiring.plan import IPV6, Nic

# IFA_PROTO, which Linux knows from 5.18 on; an older kernel shows no mark, and nothing is removed.
OURS = 78
# IFA_F_NODAD: Neutron has made sure of it, and an address that is still tried cannot be bound.
_NO_DUPLICATE_CHECK = 2
_SMALLEST_BROADCAST_NETWORK = 30
_UNIVERSAL_BIT = 0x02

# Addresses of one interface; the value tells whether the driver's mark is on it.
Present = Mapping[Interface, bool]


def settle(ip: IPRoute, nics: Mapping[int, Nic], fresh: Collection[int], outcome: Outcome) -> None:
    """Bring the addresses of interfaces to their plans.

    Args:
        ip: socket in the container's namespace.
        nics: ports by the index of their interface.
        fresh: indexes of interfaces made just now.
        outcome: takes notes.
    """
    present = _present(ip) if any(index not in fresh for index in nics) else {}
    _add_missing(ip, nics, fresh, present, outcome)
    unwanted = [
        (index, address)
        for index, nic in nics.items()
        for address, marked in present.get(index, {}).items()
        if marked and str(address) not in nic.addresses
    ]
    # After the additions: a server that changes its only address is never without one.
    for index, address in unwanted:
        with outcome.removing(f"{nics[index].name}: address {address}"):
            ip.addr("del", index=index, **_arguments(address))
    if unwanted:
        # With the first address of a subnet the kernel may take all others of it.
        _add_missing(ip, nics, fresh, _present(ip), outcome)


def _present(ip: IPRoute) -> dict[int, dict[Interface, bool]]:
    present: dict[int, dict[Interface, bool]] = defaultdict(dict)
    for message in ip.get_addr():
        text = message.get("local") or message.get("address")
        address = ipaddress.ip_interface(f"{text}/{message['prefixlen']}")
        present[message["index"]][address] = message.get("proto") == OURS
    return present


def _add_missing(
    ip: IPRoute,
    nics: Mapping[int, Nic],
    fresh: Collection[int],
    present: Mapping[int, Present],
    outcome: Outcome,
) -> None:
    for index, nic in nics.items():
        there = present.get(index, {})
        for address in _wanted(nic, there, fresh=index in fresh):
            if address not in there:
                # no mark on a link-local address: the kernel makes these otherwise
                mark = {"proto": OURS} if str(address) in nic.addresses else {}
                with outcome.adding(f"{nic.name}: address {address}"):
                    ip.addr("add", index=index, **_arguments(address), **mark)


def _wanted(nic: Nic, present: Present, *, fresh: bool) -> Iterator[Interface]:
    for text in nic.addresses:
        yield ipaddress.ip_interface(text)
    if nic.ipv6 and not fresh and not any(_is_link_local(address) for address in present):
        yield _link_local(nic.mac)


def _is_link_local(address: Interface) -> bool:
    return address.version == IPV6 and address.is_link_local


def _link_local(mac: str) -> Interface:
    """Return the kernel's own address for an interface (RFC 4291, EUI-64)."""
    first, *rest = bytes.fromhex(mac.replace(":", ""))
    identifier = bytes([first ^ _UNIVERSAL_BIT, *rest[:2], 0xFF, 0xFE, *rest[2:]])
    return ipaddress.IPv6Interface((b"\xfe\x80" + bytes(6) + identifier, 64))


def _arguments(address: Interface) -> dict[str, Any]:
    arguments = {"address": str(address.ip), "prefixlen": address.network.prefixlen}
    if isinstance(address, ipaddress.IPv6Interface):
        return {**arguments, "flags": _NO_DUPLICATE_CHECK}
    if address.network.prefixlen <= _SMALLEST_BROADCAST_NETWORK:
        return {**arguments, "broadcast": str(address.network.broadcast_address)}
    return arguments
