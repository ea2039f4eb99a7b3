# SPDX-License-Identifier: Apache-2.0
"""Network namespaces of further compute hosts, and the cables between all of them."""

import ipaddress
from collections.abc import Iterable
from contextlib import closing

from pyroute2 import IPRoute, netns

from novadocker.cloud.layout.cabling import Cable
from novadocker.cloud.layout.host import ComputeHost
from novadocker.cloud.layout.layout import Layout
from novadocker.cloud.machine.command import entering, run

# Of <linux/if.h>.
_IFF_UP = 1


def make_hubs(layout: Layout) -> None:
    """Make the hubs, and give the control plane its management address; may be repeated."""
    cabling = layout.cabling
    if cabling is None:
        return
    with closing(IPRoute()) as route:
        for hub in cabling.hubs:
            if not route.link_lookup(ifname=hub):
                route.link("add", ifname=hub, kind="bridge")
            _up(route, hub)
        address = cabling.management(1).address
        _give(route, cabling.management_hub, address)


def connect(host: ComputeHost) -> None:
    """Make a host's network namespace and cables, and plug these in; may be repeated."""
    if host.namespace is not None and host.namespace not in netns.listnetns():
        netns.create(host.namespace)
    with closing(IPRoute()) as route, closing(_inside(host)) as inside:
        if host.namespace is not None:
            _up(inside, "lo")
        for cable in host.cables:
            if not route.link_lookup(ifname=cable.plug):
                _lay(route, cable, host.namespace)
            _offload_nothing(cable, host.namespace)
            _up(route, cable.plug)
            _up(inside, cable.end)
            # Those of the switch have their addresses on its own bridge.
            if host.number > 1 and cable.end == "management":
                _give(inside, cable.end, cable.address)


def pull(host: ComputeHost) -> None:
    """Pull a host's cables at the hubs: nothing comes in and nothing gets out."""
    with closing(IPRoute()) as route:
        for cable in host.cables:
            for index in route.link_lookup(ifname=cable.plug):
                route.link("set", index=index, state="down")


def is_pulled(host: ComputeHost) -> bool:
    """Tell that a host's cables are there, and pulled."""
    with closing(IPRoute()) as route:
        found = [link for cable in host.cables for link in route.link_lookup(ifname=cable.plug)]
        flags = [route.get_links(index)[0]["flags"] for index in found]
    return bool(flags) and not any(flag & _IFF_UP for flag in flags)


def disconnect(host: ComputeHost) -> None:
    """Remove a host's cables and network namespace; may be repeated."""
    # Plugs first: with the namespace they would go at a time of the kernel's choice, perhaps
    # from under those that are made next.
    _delete(cable.plug for cable in host.cables)
    if host.namespace is not None and host.namespace in netns.listnetns():
        netns.remove(host.namespace)


def remove_hubs(layout: Layout) -> None:
    """Remove the hubs; may be repeated."""
    if layout.cabling is not None:
        _delete(layout.cabling.hubs)


def _inside(host: ComputeHost) -> IPRoute:
    return IPRoute(netns=host.namespace) if host.namespace else IPRoute()


def _lay(route: IPRoute, cable: Cable, namespace: str | None) -> None:
    (hub,) = route.link_lookup(ifname=cable.hub)
    there = ("netns", namespace) if namespace else ()
    run("ip", "link", "add", cable.plug, "type", "veth", "peer", "name", cable.end, *there)
    (plug,) = route.link_lookup(ifname=cable.plug)
    route.link("set", index=plug, master=hub)


def _offload_nothing(cable: Cable, namespace: str | None) -> None:
    # A user-space datapath sends packets on as it gets them, with checksums nobody computed.
    run("ethtool", "-K", cable.plug, "tx", "off")
    run(*entering(namespace), "ethtool", "-K", cable.end, "tx", "off")


def _up(route: IPRoute, name: str) -> None:
    (index,) = route.link_lookup(ifname=name)
    route.link("set", index=index, state="up")


def _give(route: IPRoute, name: str, address: ipaddress.IPv4Interface | None) -> None:
    if address is not None:
        (index,) = route.link_lookup(ifname=name)
        route.addr(
            "replace", index=index, address=str(address.ip), prefixlen=address.network.prefixlen
        )


def _delete(names: Iterable[str]) -> None:
    with closing(IPRoute()) as route:
        for name in names:
            for index in route.link_lookup(ifname=name):
                route.link("del", index=index)
