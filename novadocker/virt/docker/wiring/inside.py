# SPDX-License-Identifier: Apache-2.0
"""The container's side of the wiring; runs within its namespace. Needs rights; see ``privileged``.

Everything here compares first and changes what differs, so that a second run changes nothing.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from pathlib import Path
from socket import AF_INET, AF_INET6
from typing import Any

from pyroute2 import IPRoute

from novadocker.virt.docker.wiring import offload
from novadocker.virt.docker.wiring.links import checked_name
from novadocker.virt.docker.wiring.plan import Nic, Route

_SYSCTL = Path("/proc/sys/net")
_UP = 1
_LOOPBACK = 1
_FROM_STATIC = 4  # RTPROT_STATIC: what we install; the kernel's own bear other numbers
_FROM_BOOT = 3  # RTPROT_BOOT: what ``ip route add`` installs
_MAIN_TABLE = 254
_ON_LINK = 4  # RTNH_F_ONLINK
_NO_DUPLICATE_CHECK = (
    2  # IFA_F_NODAD: Neutron has made sure, and a tentative address cannot be bound
)
_SCOPE_LINK = 253
_SMALLEST_BROADCAST_NETWORK = 30

# What Docker sets on networks of its own: any user may ping and bind low ports.
_WHOLE_NAMESPACE = {
    "ipv4/ping_group_range": "0\t2147483647",
    "ipv4/ip_unprivileged_port_start": "0",
    "ipv6/conf/all/disable_ipv6": "0",
    "ipv6/conf/default/disable_ipv6": "0",
}


def settle(nics: Mapping[int, Nic]) -> list[str]:
    """Bring the container's interfaces to what they should be.

    Args:
        nics: the ports by the index of their interface in here.

    Returns:
        What was changed.
    """
    changes = [f"{name} set" for name, value in _WHOLE_NAMESPACE.items() if _write(name, value)]
    with IPRoute() as ip:
        if not ip.link("get", index=_LOOPBACK)[0]["flags"] & _UP:
            ip.link("set", index=_LOOPBACK, state="up")
            changes.append("lo up")
        for index, nic in nics.items():
            changes += _settle_link(ip, index, nic)
        for index, nic in nics.items():
            changes += _settle_addresses(ip, index, nic)
        for index, nic in nics.items():
            changes += _settle_routes(ip, index, nic)
    return changes


def interfaces() -> dict[int, tuple[str, int | None, int | None]]:
    """List the interfaces in here.

    Returns:
        By index: the name, the index of the other end, and the number of its namespace.
    """
    with IPRoute() as ip:
        return {
            link["index"]: (link.get("ifname"), link.get("link"), link.get("link_netnsid"))
            for link in ip.get_links()
        }


def _write(name: str, value: str) -> bool:
    """Set a sysctl of this namespace; tell whether that was needed."""
    path = _SYSCTL / name
    if not path.exists() or path.read_text().split() == value.split():
        return False  # a kernel without IPv6 has none of its switches
    path.write_text(value)
    return True


def _settle_link(ip: IPRoute, index: int, nic: Nic) -> Iterator[str]:
    link = ip.link("get", index=index)[0]
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


def _settle_addresses(ip: IPRoute, index: int, nic: Nic) -> Iterator[str]:
    wanted = {ipaddress.ip_interface(text) for text in nic.addresses}
    present = set(_present_addresses(ip, index, wanted))
    for address in present - wanted:
        ip.addr("del", index=index, address=str(address.ip), prefixlen=address.network.prefixlen)
        yield f"{nic.name}: address {address} removed"
    for address in (ipaddress.ip_interface(text) for text in nic.addresses):
        if address not in present:
            ip.addr("add", index=index, **_address_arguments(address))
            yield f"{nic.name}: address {address} added"


def _present_addresses(ip: IPRoute, index: int, wanted: set[Any]) -> Iterator[Any]:
    for message in ip.get_addr(index=index):
        text = message.get("local") or message.get("address")
        address = ipaddress.ip_interface(f"{text}/{message['prefixlen']}")
        # the kernel makes link-local addresses of its own
        if message["scope"] != _SCOPE_LINK or address in wanted:
            yield address


def _address_arguments(
    address: ipaddress.IPv4Interface | ipaddress.IPv6Interface,
) -> dict[str, Any]:
    arguments = {"address": str(address.ip), "prefixlen": address.network.prefixlen}
    if isinstance(address, ipaddress.IPv6Interface):
        return {**arguments, "flags": _NO_DUPLICATE_CHECK}
    if address.network.prefixlen <= _SMALLEST_BROADCAST_NETWORK:
        return {**arguments, "broadcast": str(address.network.broadcast_address)}
    return arguments


def _settle_routes(ip: IPRoute, index: int, nic: Nic) -> Iterator[str]:
    present = set(_present_routes(ip, index))
    for route in present - set(nic.routes):
        ip.route("del", **_route_arguments(index, route))
        yield f"{nic.name}: route to {route.destination} removed"
    for route in nic.routes:
        if route not in present:
            ip.route("add", **_route_arguments(index, route))
            yield f"{nic.name}: route to {route.destination} added"


def _present_routes(ip: IPRoute, index: int) -> Iterator[Route]:
    for family, everywhere in ((AF_INET, "0.0.0.0"), (AF_INET6, "::")):  # noqa: S104
        for message in ip.get_routes(family=family, table=_MAIN_TABLE, oif=index):
            if message["proto"] not in (_FROM_STATIC, _FROM_BOOT):
                continue
            network = message.get("dst") or everywhere
            yield Route(
                destination=f"{network}/{message['dst_len']}",
                gateway=message.get("gateway"),
                onlink=bool(message["flags"] & _ON_LINK),
            )


def _route_arguments(index: int, route: Route) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "dst": route.destination,
        "oif": index,
        "proto": _FROM_STATIC,
        "table": _MAIN_TABLE,
        "family": AF_INET6 if ":" in route.destination else AF_INET,
    }
    if route.gateway is None:
        return {**arguments, "scope": _SCOPE_LINK}
    return {**arguments, "gateway": route.gateway, "flags": _ON_LINK if route.onlink else 0}
