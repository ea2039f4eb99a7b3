# SPDX-License-Identifier: Apache-2.0
"""The container's side of the wiring; runs within its namespace. Needs rights; see ``privileged``.

Everything here compares first and changes what differs, so that a second run changes nothing.
"""

import ipaddress
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from socket import AF_INET, AF_INET6
from typing import Any

from pyroute2 import IPRoute

from novadocker.virt.docker.wiring import offload
from novadocker.virt.docker.wiring.plan import DEFAULTS, IPV4, IPV6, Interface, Nic, Route
from novadocker.virt.docker.wiring.veth import checked_name

_SYSCTL = Path("/proc/sys/net")
_UP = 1
_LOOPBACK = 1
_FROM_STATIC = 4  # RTPROT_STATIC: what we install; the kernel's own bear other numbers
_FROM_BOOT = 3  # RTPROT_BOOT: what ``ip route add`` installs
_MAIN_TABLE = 254
_ON_LINK = 4  # RTNH_F_ONLINK
# IFA_F_NODAD: Neutron has made sure of it, and an address that is still tried cannot be bound.
_NO_DUPLICATE_CHECK = 2
_SCOPE_LINK = 253
_WHOEVER_MADE_IT = {"scope": 255}  # RT_SCOPE_NOWHERE: a deletion of a route of any scope
_SMALLEST_BROADCAST_NETWORK = 30

# What Docker sets on networks of its own: any user may ping and bind low ports.
_WHOLE_NAMESPACE = {
    "ipv4/ping_group_range": "0\t2147483647",
    "ipv4/ip_unprivileged_port_start": "0",
    "ipv6/conf/all/disable_ipv6": "0",
    "ipv6/conf/default/disable_ipv6": "0",
}


def settle(nics: Mapping[int, Nic], fresh: Collection[int]) -> list[str]:
    """Bring the container's interfaces to what they should be.

    Args:
        nics: the ports by the index of their interface in here.
        fresh: those indexes that have just been made, where there is nothing to compare with.

    Returns:
        What was changed.
    """
    changes = [f"{name} set" for name, value in _WHOLE_NAMESPACE.items() if _write(name, value)]
    compare = any(index not in fresh for index in nics)
    with IPRoute(strict_check=True) as ip:
        links = {link["index"]: link for link in ip.get_links()}
        if not links[_LOOPBACK]["flags"] & _UP:
            ip.link("set", index=_LOOPBACK, state="up")
            changes.append("lo up")
        for index, nic in nics.items():
            changes += _settle_link(ip, links[index], nic)
        addresses = _present_addresses(ip) if compare else {}
        for index, nic in nics.items():
            present = set() if index in fresh else addresses.get(index, set())
            if index not in fresh:
                changes += _renew_link_local(links[index].get("ifname"), nic, present)
            changes += _settle_addresses(ip, index, nic, present)
        routes = _present_routes(ip) if compare else {}
        # A destination may pass from one interface to another: all that goes, goes first.
        for index, nic in nics.items():
            changes += _remove_routes(ip, index, nic, routes.get(index, set()))
        # An interface that is not planned keeps its routes: one destination has one way.
        others = [found for index, found in routes.items() if index not in nics]
        taken = {route.destination for found in others for route in found}
        for index, nic in nics.items():
            changes += _add_routes(ip, index, nic, routes.get(index, set()), taken)
    return changes


def interfaces() -> dict[int, tuple[str, int | None]]:
    """List the interfaces in here.

    Returns:
        By index: the name, and the index of the other end.
    """
    with IPRoute() as ip:
        links = ip.get_links()
        return {link["index"]: (link.get("ifname"), link.get("link")) for link in links}


def _write(name: str, value: str) -> bool:
    """Set a sysctl of this namespace; tell whether that was needed."""
    path = _SYSCTL / name
    if not path.exists() or path.read_text().split() == value.split():
        return False  # a kernel without IPv6 has none of its switches
    path.write_text(value)
    return True


def _settle_link(ip: IPRoute, link: Any, nic: Nic) -> Iterator[str]:
    index = link["index"]
    name = checked_name(link.get("ifname"))
    for key, value in _interface_sysctls(nic).items():
        if _write(f"ipv6/conf/{name}/{key}", value):
            yield f"{name}: {key} is {value}"
    wanted = {"address": nic.mac, "mtu": nic.mtu}
    differing = {key: value for key, value in wanted.items() if link.get(key) != value}
    if differing:
        ip.link("set", index=index, **differing)
        yield f"{name}: {differing}"
    if offload.set_checksum(name, enabled=nic.checksum_offload):
        yield f"{name}: transmit checksums {'offloaded' if nic.checksum_offload else 'computed'}"
    if not link["flags"] & _UP:
        ip.link("set", index=index, state="up")
        yield f"{name}: up"


def _interface_sysctls(nic: Nic) -> dict[str, str]:
    if not nic.ipv6:
        return {"disable_ipv6": "1"}
    return {
        "disable_ipv6": "0",
        "accept_dad": "0",
        "autoconf": "0",  # addresses come from Neutron, by way of the plan
        "accept_ra": "1" if nic.router_advertisements else "0",
    }


def _present_addresses(ip: IPRoute) -> dict[int, set[Interface]]:
    present: dict[int, set[Interface]] = defaultdict(set)
    for message in ip.get_addr():
        text = message.get("local") or message.get("address")
        present[message["index"]].add(ipaddress.ip_interface(f"{text}/{message['prefixlen']}"))
    return present


def _renew_link_local(name: str, nic: Nic, present: set[Interface]) -> Iterator[str]:
    """Let the kernel make its own address again where it is gone."""
    if not nic.ipv6 or any(_made_by_kernel(address) for address in present):
        return
    switch = f"ipv6/conf/{name}/disable_ipv6"
    if _write(switch, "1"):
        _write(switch, "0")
        present -= {address for address in present if address.version == IPV6}
        yield f"{name}: link-local address renewed"


def _made_by_kernel(address: Interface) -> bool:
    return address.version == IPV6 and address.is_link_local


def _settle_addresses(ip: IPRoute, index: int, nic: Nic, present: set[Interface]) -> Iterator[str]:
    wanted = [ipaddress.ip_interface(text) for text in nic.addresses]
    for address in present.difference(wanted):
        if not _made_by_kernel(address):
            ip.addr("del", index=index, **_address_arguments(address))
            yield f"{nic.name}: address {address} removed"
    for address in wanted:
        if address not in present:
            ip.addr("add", index=index, **_address_arguments(address))
            yield f"{nic.name}: address {address} added"


def _address_arguments(address: Interface) -> dict[str, Any]:
    arguments = {"address": str(address.ip), "prefixlen": address.network.prefixlen}
    if isinstance(address, ipaddress.IPv6Interface):
        return {**arguments, "flags": _NO_DUPLICATE_CHECK}
    if address.network.prefixlen <= _SMALLEST_BROADCAST_NETWORK:
        return {**arguments, "broadcast": str(address.network.broadcast_address)}
    return arguments


def _present_routes(ip: IPRoute) -> dict[int, set[Route]]:
    present: dict[int, set[Route]] = defaultdict(set)
    for family, everywhere in ((AF_INET, DEFAULTS[IPV4]), (AF_INET6, DEFAULTS[IPV6])):
        for message in ip.get_routes(family=family, table=_MAIN_TABLE):
            if message["proto"] in (_FROM_STATIC, _FROM_BOOT):
                network = message.get("dst")
                route = Route(
                    destination=f"{network}/{message['dst_len']}" if network else everywhere,
                    gateway=message.get("gateway"),
                    onlink=bool(message["flags"] & _ON_LINK),
                )
                present[message.get("oif")].add(route)
    return present


def _remove_routes(ip: IPRoute, index: int, nic: Nic, present: set[Route]) -> Iterator[str]:
    for route in present.difference(nic.routes):
        ip.route("del", **_route_arguments(index, route) | _WHOEVER_MADE_IT)
        yield f"{nic.name}: route to {route.destination} removed"


def _add_routes(
    ip: IPRoute, index: int, nic: Nic, present: set[Route], taken: set[str]
) -> Iterator[str]:
    for route in nic.routes:
        if route not in present and route.destination not in taken:
            ip.route("add", **_route_arguments(index, route) | {"proto": _FROM_STATIC})
            yield f"{nic.name}: route to {route.destination} added"


def _route_arguments(index: int, route: Route) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "dst": route.destination,
        "oif": index,
        "table": _MAIN_TABLE,
        "family": AF_INET6 if ":" in route.destination else AF_INET,
    }
    if route.gateway is None:
        return {**arguments, "scope": _SCOPE_LINK}
    return {**arguments, "gateway": route.gateway, "flags": _ON_LINK if route.onlink else 0}
