# SPDX-License-Identifier: Apache-2.0
"""Routes of a container's interfaces, settled within the namespace. See ``privileged``.

Routes of the driver bear a protocol number of its own. A server that was granted NET_ADMIN,
a router for one, keeps the routes that it made, and its way to a destination stays the only one.
"""

import ipaddress
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from socket import AF_INET, AF_INET6
from typing import Any

from pyroute2 import IPRoute

from novadocker.virt.docker.wiring.outcome import Outcome
from novadocker.virt.docker.wiring.plan import DEFAULTS, IPV4, IPV6, Nic, Route

OURS = 78  # a route's rtm_protocol; neither the kernel's nor any routing daemon's known number
_FROM_ADVERTISEMENT = 9  # RTPROT_RA: comes and goes by itself
_MAIN_TABLE = 254
_ON_LINK = 4  # RTNH_F_ONLINK
_SCOPE_LINK = 253
_WHATEVER_SCOPE = {"scope": 255}  # RT_SCOPE_NOWHERE: a deletion of a route of any scope


@dataclass(frozen=True)
class Present:
    """Route of the main table.

    Attributes:
        index: interface; 0 for a route without any, or with several.
        route: destination and next hop.
        marked: made by the driver.
    """

    index: int
    route: Route
    marked: bool


def settle(ip: IPRoute, nics: Mapping[int, Nic], fresh: Collection[int], outcome: Outcome) -> None:
    """Bring the routes of interfaces to their plans.

    Args:
        ip: socket in the container's namespace, whose addresses are settled.
        nics: ports by the index of their interface.
        fresh: indexes of interfaces made just now.
        outcome: takes notes.
    """
    compare = any(index not in fresh for index in nics)
    present = list(_present(ip)) if compare else []
    there = {(each.index, each.route) for each in present}
    # An interface that is not planned keeps its routes too: one destination has one way.
    taken = {r.route.destination for r in present if not (r.marked and r.index in nics)}
    for index, nic in nics.items():
        for route in nic.routes:
            if (index, route) not in there and route.destination not in taken:
                with outcome.adding(f"{nic.name}: route {route}"):
                    # "replace": a destination that gets another next hop is never without one
                    ip.route("replace", **_arguments(index, route))
    # Looked at again, since a replaced route is gone by now.
    stale = [r for r in _present(ip) if r.marked and r.index in nics] if compare else []
    for each in stale:
        if each.route not in nics[each.index].routes:
            with outcome.removing(f"{nics[each.index].name}: route {each.route}"):
                ip.route("del", **_arguments(each.index, each.route) | _WHATEVER_SCOPE)


def _present(ip: IPRoute) -> Iterator[Present]:
    for family, everywhere in ((AF_INET, DEFAULTS[IPV4]), (AF_INET6, DEFAULTS[IPV6])):
        for message in ip.get_routes(family=family, table=_MAIN_TABLE):
            if message["proto"] == _FROM_ADVERTISEMENT:
                continue
            network, gateway = message.get("dst"), message.get("gateway")
            # by way of ipaddress: the kernel writes some addresses in another form
            destination = ipaddress.ip_network(f"{network}/{message['dst_len']}") if network else ""
            route = Route(
                destination=str(destination) or everywhere,
                gateway=str(ipaddress.ip_address(gateway)) if gateway else None,
                onlink=bool(message["flags"] & _ON_LINK),
            )
            yield Present(message.get("oif") or 0, route, message["proto"] == OURS)


def _arguments(index: int, route: Route) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "dst": route.destination,
        "oif": index,
        "table": _MAIN_TABLE,
        "family": AF_INET6 if ":" in route.destination else AF_INET,
        "proto": OURS,
    }
    if route.gateway is None:
        return {**arguments, "scope": _SCOPE_LINK}
    return {**arguments, "gateway": route.gateway, "flags": _ON_LINK if route.onlink else 0}
