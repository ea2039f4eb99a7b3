# SPDX-License-Identifier: Apache-2.0
"""VRF: the part of a virtual network on a host.

Interfaces of one virtual network are ports of one Linux bridge, joined to the bridges of other
hosts by VXLAN. The vRouter's own addresses, with the MAC that every vRouter has, are in a network
namespace of the VRF's own, on a macvlan device of the bridge: that namespace's routing table is
the VRF's. So what one network calls 10.0.0.5 is nothing to another, and no address of a tenant is
the host's. (The kernel's own VRF devices would do as well; not every kernel has them.)

Two VRFs that take each other's routes are joined by a veth pair between their namespaces; over it
lead routes to single addresses, as they came by BGP.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from novadocker.cloud.doubles.opensdn.commands import ask, link, run
from novadocker.cloud.doubles.opensdn.control import VirtualNetwork

GATEWAY_MAC = "00:00:5e:00:01:00"
VXLAN_PORT = 4789
_GATEWAY = "gateway"
_NEVER = 100_000_000
_LOWER, _HIGHER = "fe80::1", "fe80::2"
_BGP = ("proto", "bgp")
_DOOR = "to"
_SWITCHES = (
    "net.ipv4.ip_forward=1",
    "net.ipv6.conf.all.forwarding=1",
    "net.ipv4.conf.all.rp_filter=0",
    "net.ipv4.conf.default.rp_filter=0",
)


class Vrf:
    """VRF of a virtual network.

    Args:
        host: the host's name, to tell its namespaces from those of other hosts beside it.
        address: the host's, in the underlay.
        network: the virtual network.
    """

    def __init__(self, host: str, address: str, network: VirtualNetwork) -> None:
        self.network = network
        self._address = address
        self._bridge = f"vn{network.number}"
        self._tunnel = f"vx{network.number}"
        self._host = host
        self.namespace = namespace(host, network)

    def make(self) -> None:
        """Make the missing parts of the VRF. Idempotent."""
        if link(self._tunnel) is None:
            self.remove()
            self._make_bridge()
            self._make_namespace()
            # Last: by it we know that all the rest is there.
            self._make_tunnel()

    def remove(self) -> None:
        """Remove the VRF, or as much as is there."""
        for name in (self._tunnel, self._bridge):
            if link(name):
                run("ip", "link", "delete", name)
        if _exists(self.namespace):
            run("ip", "netns", "delete", self.namespace)

    def plug(self, device: str, mac: str, addresses: Iterable[str]) -> None:
        """Make an interface a member, and tell routing the addresses behind. Idempotent."""
        run("ip", "link", "set", "dev", device, "master", self._bridge, "up")
        # As if learned: a fixed entry could not move to another host.
        run("bridge", "fdb", "replace", mac, "dev", device, "master", "dynamic")
        for address in addresses:
            run(
                "ip",
                "neighbor",
                "replace",
                address,
                "lladdr",
                mac,
                "dev",
                self._bridge,
                "nud",
                "reachable",
            )

    def plugged(self, device: str) -> bool | None:
        """Tell whether an interface is a member; None if there is no such interface."""
        found = link(device)
        return None if found is None else found.get("master") == self._bridge

    def unplug(self, device: str, addresses: Iterable[str]) -> None:
        """Take an interface out, also after the interface has gone. Idempotent."""
        for address in addresses:
            with suppress(OSError):  # it knows the address no more
                run("ip", "neighbor", "delete", address, "dev", self._bridge)
        if self.plugged(device):
            run("ip", "link", "set", "dev", device, "nomaster")

    def settle(self, neighbors: Mapping[str, str], imported: Mapping[str, VirtualNetwork]) -> None:
        """Bring the routing table to the state that BGP tells.

        Args:
            neighbors: MACs by the addresses of this network.
            imported: by the addresses of other networks, the network that each is in.
        """
        self._settle_neighbors(neighbors)
        self._settle_routes(imported)

    def _settle_neighbors(self, wanted: Mapping[str, str]) -> None:
        told = ask("ip", "-n", self.namespace, "-j", "neighbor", "show", "nud", "permanent")
        present = {each["dst"]: each["lladdr"] for each in told if each.get("dev") == _GATEWAY}
        for address in present.keys() - wanted:
            self._ip("neighbor", "delete", address, "dev", _GATEWAY)
        for address, mac in wanted.items():
            if present.get(address) != mac:
                entry = (address, "lladdr", mac, "dev", _GATEWAY, "nud", "permanent")
                self._ip("neighbor", "replace", *entry)

    def _settle_routes(self, wanted: Mapping[str, VirtualNetwork]) -> None:
        present = {
            route["dst"]: route["dev"]
            for family in ("-4", "-6")
            for route in ask("ip", "-n", self.namespace, family, "-j", "route", "show", *_BGP)
        }
        for address in present.keys() - wanted:
            family = "-6" if ":" in address else "-4"
            self._ip(family, "route", "delete", address, *_BGP)
        for address, other in wanted.items():
            if present.get(address) != _door(other):
                self._add_route(address, other)

    def _add_route(self, address: str, other: VirtualNetwork) -> None:
        _, theirs = _ends(self.network, other)
        # Between two namespaces nobody needs an address; a next hop of IPv6 serves both.
        hop = ("via", theirs) if ":" in address else ("via", "inet6", theirs)
        family = "-6" if ":" in address else "-4"
        self._ip(family, "route", "replace", address, *hop, "dev", _door(other), *_BGP)

    def open_door(self, other: "Vrf") -> None:
        """Join the VRF to another, made before. Idempotent."""
        if _door(other.network) in self._links():
            return
        mine, theirs = _ends(self.network, other.network)
        self._ip(
            "link",
            "add",
            _door(other.network),
            "type",
            "veth",
            "peer",
            "name",
            _door(self.network),
            "netns",
            other.namespace,
        )
        for vrf, door, own in (
            (self, _door(other.network), mine),
            (other, _door(self.network), theirs),
        ):
            run("ip", "-n", vrf.namespace, "address", "add", f"{own}/64",
                "dev", door, "nodad")  # fmt: skip
            run("ip", "-n", vrf.namespace, "link", "set", door, "up")

    def close_doors(self, kept: Iterable[VirtualNetwork]) -> None:
        """Part the VRF from all others but some."""
        doors = {_door(network) for network in kept}
        for name in self._links():
            if name.startswith(_DOOR) and name not in doors:
                self._ip("link", "delete", name)

    def _links(self) -> set[str]:
        return {each["ifname"] for each in ask("ip", "-n", self.namespace, "-j", "link")}

    def _make_bridge(self) -> None:
        ageing = ("ageing_time", _NEVER)
        run("ip", "link", "add", self._bridge, "type", "bridge", *ageing)
        _quiet(self._bridge)
        run("ip", "link", "set", self._bridge, "up")

    def _make_tunnel(self) -> None:
        number = ("id", self.network.number, "dstport", VXLAN_PORT)
        run(
            "ip",
            "link",
            "add",
            self._tunnel,
            "type",
            "vxlan",
            *number,
            "local",
            self._address,
            "nolearning",
        )
        _quiet(self._tunnel)
        run("ip", "link", "set", self._tunnel, "master", self._bridge)
        # Where things are is known from routing, and so who has which address.
        flags = ("learning", "off", "neigh_suppress", "on")
        run("bridge", "link", "set", "dev", self._tunnel, *flags)
        run("ip", "link", "set", self._tunnel, "up")

    def _make_namespace(self) -> None:
        run("ip", "netns", "add", self.namespace)
        self._ip("link", "set", "lo", "up")
        for switch in _SWITCHES:
            run("nsenter", f"--net=/run/netns/{self.namespace}", "sysctl", "-qw", switch)
        scratch = f"gw{self.network.number}"
        run(
            "ip",
            "link",
            "add",
            scratch,
            "link",
            self._bridge,
            "address",
            GATEWAY_MAC,
            "type",
            "macvlan",
            "mode",
            "private",
        )
        run("ip", "link", "set", scratch, "netns", self.namespace, "name", _GATEWAY)
        for subnet in self.network.subnets:
            if subnet.gateway:
                length = subnet.prefix.partition("/")[2]
                address = f"{subnet.gateway}/{length}"
                extra = ("nodad",) if ":" in address else ()
                self._ip("address", "add", address, "dev", _GATEWAY, *extra)
        self._ip("link", "set", _GATEWAY, "up")

    def _ip(self, *words: object) -> None:
        run("ip", "-n", self.namespace, *words)


def namespace(host: str, network: VirtualNetwork) -> str:
    """Name the network namespace of a network's VRF on a host."""
    return f"vrf-{host}-{network.number}"


def _door(other: VirtualNetwork) -> str:
    return f"{_DOOR}{other.number}"


def _ends(one: VirtualNetwork, other: VirtualNetwork) -> tuple[str, str]:
    return (_LOWER, _HIGHER) if one.number < other.number else (_HIGHER, _LOWER)


def _quiet(device: str) -> None:
    """Keep the host itself out of a tenant's network: no address of the kernel's own making."""
    run("ip", "link", "set", device, "addrgenmode", "none")


def _exists(name: str) -> bool:
    return (Path("/run/netns") / name).exists()
