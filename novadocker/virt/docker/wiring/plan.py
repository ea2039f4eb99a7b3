# SPDX-License-Identifier: Apache-2.0
"""Plan of a container's network, made from Nova's ``network_info``. Pure."""

import ipaddress
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from novadocker.virt.docker.wiring.next_hop import Address, Interface, fault_of
from novadocker.virt.docker.wiring.refusal import refusal_of

IPV4, IPV6 = 4, 6
DEFAULTS = {IPV4: "0.0.0.0/0", IPV6: "::/0"}
METADATA = "169.254.169.254/32"
MTU_WITHOUT_WORD = 1500
SMALLEST_MTU, LARGEST_MTU = 68, 65535  # a veth device's own limits
SMALLEST_MTU_OF_IPV6 = 1280
LONGEST_DEVICE_NAME = 14  # Nova's own limit, one below the kernel's


@dataclass(frozen=True)
class Route:
    """Route of a NIC.

    Attributes:
        destination: the network, with its prefix, as the kernel prints it.
        gateway: the next hop; None where the destination is on the link itself.
        onlink: the gateway is on the link though no address of the NIC says so.
    """

    destination: str
    gateway: str | None = None
    onlink: bool = False

    def __str__(self) -> str:
        hop = f" by {self.gateway}" if self.gateway else ""
        return f"to {self.destination}{hop}"

    @property
    def is_default(self) -> bool:
        """True for a route to everywhere."""
        return self.destination in DEFAULTS.values()


@dataclass(frozen=True)
class Nic:
    """Port of a container, with the veth end on the host.

    Attributes:
        port_id: Neutron's id of the port.
        vif_type: how Neutron bound it; chooses the backend.
        name: the interface's name in a container that starts now.
        host_device: the name of the end that stays on the host.
        mac: Neutron's address for it, in lower case.
        mtu: the network's.
        addresses: all fixed addresses, each with its prefix.
        routes: those that belong to this NIC, those without a gateway first.
        checksum_offload: False where the datapath does not complete checksums left open.
        ipv6: False where the MTU is too small for it.
        router_advertisements: the default route of IPv6 is announced, not planned.
        bridge: the Linux bridge that the host end belongs to (hybrid plug), else None.
        link_down: the host end is down: a paused container says nothing.
    """

    port_id: str
    vif_type: str
    name: str
    host_device: str
    mac: str
    mtu: int = MTU_WITHOUT_WORD
    addresses: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    checksum_offload: bool = True
    ipv6: bool = True
    router_advertisements: bool = False
    bridge: str | None = None
    link_down: bool = False

    @classmethod
    def from_primitive(cls, values: Mapping[str, Any]) -> "Nic":
        """Undo ``dataclasses.asdict`` on the privileged daemon's side.

        Args:
            values: the fields by name.

        Returns:
            The same NIC.
        """
        routes = tuple(Route(**route) for route in values["routes"])
        return cls(**{**values, "routes": routes, "addresses": tuple(values["addresses"])})


@dataclass(frozen=True)
class Plan:
    """Complete network of a container.

    Attributes:
        hostname: the server's name, with its domain or without.
        domain: the domain that completes it; may be empty.
        nics: in the order in which Nova has the ports.
        dns: resolvers, in order.
        remarks: departures from Neutron's account, as sentences for an operator.
    """

    hostname: str
    domain: str = ""
    nics: tuple[Nic, ...] = ()
    dns: tuple[str, ...] = ()
    remarks: tuple[str, ...] = field(default=(), compare=False)

    @property
    def search(self) -> tuple[str, ...]:
        """Domains in which short names are looked up."""
        return (self.domain,) if self.domain else ()


def make_plan(
    network_info: Sequence[Mapping[str, Any]],
    *,
    vif_types: Collection[str],
    hostname: str,
    domain: str = "",
    default_dns: Sequence[str] = (),
    metadata_by_dhcp: bool = False,
) -> Plan:
    """Plan a container's network.

    Args:
        network_info: Nova's VIFs, or mappings like them.
        vif_types: those that have a backend.
        hostname: the server's name.
        domain: the domain of this cloud's servers, if it has one.
        default_dns: resolvers where no subnet names any.
        metadata_by_dhcp: Neutron's DHCP agents serve metadata on each of their networks.

    Returns:
        The plan.

    Raises:
        VifRefused: a port cannot be had by a container; nothing has been changed.
    """
    for vif in network_info:
        refusal = refusal_of(vif, vif_types)
        if refusal is not None:
            raise refusal
    drafts = [_draft(position, vif) for position, vif in enumerate(network_info)]
    remarks = list(_remarks_on_mtu(network_info, drafts))
    drafts = list(_without_unusable(drafts, remarks))
    if network_info and (
        service := _metadata_route(network_info[0], drafts, by_dhcp=metadata_by_dhcp)
    ):
        drafts[0] = _with_metadata(service, drafts)
    return Plan(
        hostname=hostname,
        domain=domain,
        nics=tuple(_without_rivals(_without_connected(drafts, remarks), remarks)),
        dns=_resolvers(network_info, default_dns),
        remarks=tuple(remarks),
    )


def host_device(vif: Mapping[str, Any]) -> str:
    """Name the host end of a port's veth pair.

    Args:
        vif: Nova's VIF.

    Returns:
        The name that Nova and os-vif have for it.
    """
    return vif.get("devname") or f"tap{vif['id']}"[:LONGEST_DEVICE_NAME]


def hybrid_name(prefix: str, vif: Mapping[str, Any]) -> str:
    """Name a device of the hybrid plug, between the host end and Open vSwitch.

    Args:
        prefix: kind of the device, "qbr" for the bridge.
        vif: Nova's VIF.

    Returns:
        The name that os-vif has for it.
    """
    return f"{prefix}{vif['id']}"[:LONGEST_DEVICE_NAME]


def _draft(position: int, vif: Mapping[str, Any]) -> Nic:
    """Plan a NIC without regard to the others."""
    details = vif.get("details") or {}
    mtu = min(max(_mtu(vif), SMALLEST_MTU), LARGEST_MTU)
    ipv6 = mtu >= SMALLEST_MTU_OF_IPV6
    subnets = [subnet for subnet in _subnets(vif) if ipv6 or _network_of(subnet).version == IPV4]
    addresses = list(dict.fromkeys(_addresses(subnets)))
    routes = _routes(subnets, addresses)
    hybrid = bool(details.get("ovs_hybrid_plug"))
    return Nic(
        port_id=vif["id"],
        vif_type=vif["type"],
        name=f"eth{position}",
        host_device=host_device(vif),
        mac=vif["address"].lower(),
        mtu=mtu,
        addresses=tuple(str(address) for address in addresses),
        routes=tuple(sorted(routes, key=lambda route: route.gateway is not None)),
        checksum_offload=details.get("datapath_type") != "netdev",
        ipv6=ipv6,
        router_advertisements=any(_announced(subnet) for subnet in subnets),
        bridge=hybrid_name("qbr", vif) if hybrid else None,
    )


def _mtu(vif: Mapping[str, Any]) -> int:
    return int(_meta(vif.get("network")).get("mtu") or MTU_WITHOUT_WORD)


def _remarks_on_mtu(
    network_info: Iterable[Mapping[str, Any]], nics: Iterable[Nic]
) -> Iterator[str]:
    for vif, nic in zip(network_info, nics, strict=True):
        if nic.mtu != _mtu(vif):
            yield f"{nic.name} has an MTU of {nic.mtu}: no interface can have {_mtu(vif)}"
        if not nic.ipv6:
            yield f"{nic.name} has no IPv6: its MTU of {nic.mtu} is below {SMALLEST_MTU_OF_IPV6}"


def _meta(model: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return (model or {}).get("meta") or {}


def _subnets(vif: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    subnets = (vif.get("network") or {}).get("subnets") or []
    return [subnet for subnet in subnets if subnet.get("cidr")]


def _network_of(subnet: Mapping[str, Any]) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(subnet["cidr"], strict=False)


def _addresses(subnets: Iterable[Mapping[str, Any]]) -> Iterator[Interface]:
    for subnet in subnets:
        for ip in subnet.get("ips") or []:
            yield ipaddress.ip_interface(f"{ip['address']}/{_network_of(subnet).prefixlen}")


def _gateway(model: Mapping[str, Any] | str | None) -> str | None:
    """Return a next hop, or None for each of Neutron's ways to say "none"."""
    address = model.get("address") if isinstance(model, Mapping) else model
    if not address or ipaddress.ip_address(address).is_unspecified:
        return None
    return str(ipaddress.ip_address(address))


def _announced(subnet: Mapping[str, Any]) -> bool:
    """Tell whether a router outside Neutron announces the default route of this subnet."""
    has_mode = _meta(subnet).get("ipv6_address_mode") is not None
    return has_mode and _gateway(subnet.get("gateway")) is None


def _routes(subnets: Sequence[Mapping[str, Any]], own: Sequence[Interface]) -> list[Route]:
    """List the routes of a NIC: a single route to a destination, host routes before gateways.

    A host route to everywhere takes the gateway's place, as it does with DHCP's option 121.
    """
    wanted: dict[str, Route] = {}
    for subnet in subnets:
        for host_route in subnet.get("routes") or []:
            destination = str(ipaddress.ip_network(host_route["cidr"], strict=False))
            route = _route(destination, _gateway(host_route.get("gateway")), own)
            wanted.setdefault(destination, route)
    for subnet in subnets:
        default = DEFAULTS[_network_of(subnet).version]
        gateway = _gateway(subnet.get("gateway"))
        if gateway is not None:
            wanted.setdefault(default, _route(default, gateway, own))
    mine = {str(address.ip) for address in own}
    return [route for route in wanted.values() if route.gateway not in mine]


def _route(destination: str, gateway: str | None, own: Sequence[Interface]) -> Route:
    if gateway is None:
        return Route(destination)
    hop = ipaddress.ip_address(gateway)
    reachable = hop.is_link_local and hop.version == IPV6
    return Route(destination, gateway, onlink=not reachable and not _on_link(hop, own))


def _on_link(hop: Address, own: Sequence[Interface]) -> bool:
    return any(hop in address.network for address in own)


def _bound_by_ovn(vif: Mapping[str, Any]) -> bool:
    drivers = (vif.get("details") or {}).get("bound_drivers") or {}
    return "ovn" in (drivers.values() if isinstance(drivers, Mapping) else drivers)


def _metadata_route(vif: Mapping[str, Any], nics: Sequence[Nic], *, by_dhcp: bool) -> Route | None:
    """Return the way to the metadata service where no gateway leads there.

    OVN serves it on the link and routes it nowhere. Where no router does it, Neutron's DHCP agent
    does, and tells those who ask for an address.
    """
    if _bound_by_ovn(vif):
        return Route(METADATA)
    routes = (route for nic in nics for route in nic.routes)
    if not by_dhcp and any(route.destination == DEFAULTS[IPV4] for route in routes):
        return None
    servers = (_dhcp_server(subnet) for subnet in _subnets(vif))
    return next((Route(METADATA, server) for server in servers if _is_ipv4(server)), None)


def _with_metadata(route: Route, nics: Sequence[Nic]) -> Nic:
    """Add the way to the metadata service to the first NIC, unless a route leads there already."""
    service = ipaddress.IPv4Network(METADATA)
    specific = [each for nic in nics for each in nic.routes if not each.is_default]
    networks = (ipaddress.ip_network(each.destination) for each in specific)
    if any(isinstance(net, ipaddress.IPv4Network) and service.subnet_of(net) for net in networks):
        return nics[0]
    if not any(ipaddress.ip_interface(own).version == IPV4 for own in nics[0].addresses):
        return nics[0]
    routes = sorted((route, *nics[0].routes), key=lambda each: each.gateway is not None)
    return replace(nics[0], routes=tuple(routes))


def _without_unusable(nics: Sequence[Nic], remarks: list[str]) -> Iterator[Nic]:
    """Leave out routes by next hops that no kernel takes."""
    own = [ipaddress.ip_interface(text) for nic in nics for text in nic.addresses]
    for nic in nics:
        kept = []
        for route in nic.routes:
            fault = route.gateway and fault_of(route.gateway, route.destination, own)
            if fault:
                remarks.append(f"{nic.name} leaves out its route {route}: the next hop {fault}")
            else:
                kept.append(route)
        yield replace(nic, routes=tuple(kept))


def _without_connected(nics: Sequence[Nic], remarks: list[str]) -> Iterator[Nic]:
    """Leave out routes to networks that are on a link already: the kernel takes no second."""
    connected = {
        str(ipaddress.ip_interface(own).network): nic.name for nic in nics for own in nic.addresses
    }
    for nic in nics:
        needless = [route for route in nic.routes if route.destination in connected]
        remarks.extend(
            f"{nic.name} leaves out its route to {route.destination}: "
            f"{connected[route.destination]} is on that network"
            for route in needless
        )
        yield replace(nic, routes=tuple(route for route in nic.routes if route not in needless))


def _without_rivals(nics: Iterable[Nic], remarks: list[str]) -> Iterator[Nic]:
    """Give each destination to the first NIC with a route there."""
    owner: dict[str, str] = {}
    for nic in nics:
        lost = [r for r in nic.routes if owner.setdefault(r.destination, nic.name) != nic.name]
        remarks.extend(
            f"{nic.name} leaves out its route to {route.destination}: "
            f"{owner[route.destination]} has one"
            for route in lost
            if not route.is_default
        )
        yield replace(nic, routes=tuple(route for route in nic.routes if route not in lost))


def _resolvers(
    network_info: Iterable[Mapping[str, Any]], default_dns: Sequence[str]
) -> tuple[str, ...]:
    """List the resolvers; the unspecified address stands for none.

    One that names none has the agent that hands out its addresses, if there is such.
    """
    subnets = [subnet for vif in network_info for subnet in _subnets(vif)]
    named = [
        dns["address"] if isinstance(dns, Mapping) else dns
        for subnet in subnets
        for dns in subnet.get("dns") or []
    ]
    serving = [server for subnet in subnets if (server := _dhcp_server(subnet))]
    chosen = dict.fromkeys(named or default_dns or serving)
    return tuple(dns for dns in chosen if not ipaddress.ip_address(dns).is_unspecified)


def _dhcp_server(subnet: Mapping[str, Any]) -> str | None:
    return _meta(subnet).get("dhcp_server")


def _is_ipv4(address: str | None) -> bool:
    return address is not None and ipaddress.ip_address(address).version == IPV4
