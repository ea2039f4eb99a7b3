# SPDX-License-Identifier: Apache-2.0
"""Addresses and routes of a server with NET_ADMIN's own making, beside the ports'."""

from collections.abc import Callable

import pytest
from nova.network import model

from novadocker.virt.docker.wiring import Wiring
from tests.engine.wiring.stand_in import Server, a_vif, run

OWN: dict[str, tuple[str, ...]] = {
    "VRRP's address": ("address", "add", "10.0.0.99/32", "dev", "eth0"),
    "a second address of the subnet": ("address", "add", "10.0.0.98/24", "dev", "eth0"),
    "an address of another network": ("address", "add", "10.9.0.5/24", "dev", "eth0"),
    "an IPv6 address": ("address", "add", "fd00::99/128", "dev", "eth0"),
    "a router's route": ("route", "add", "10.20.0.0/16", "via", "10.0.0.9"),
    "a route of a routing daemon": (
        "route",
        "add",
        "10.21.0.0/16",
        "via",
        "10.0.0.9",
        "proto",
        "bgp",
    ),
    "a static route": ("route", "add", "10.22.0.0/16", "via", "10.0.0.9", "proto", "static"),
    "a route by IPv6": ("-6", "route", "add", "fd20::/64", "via", "fd00::9"),
    "a route with a type of service": (
        "route",
        "add",
        "10.23.0.0/16",
        "tos",
        "8",
        "via",
        "10.0.0.9",
    ),
    "another way out": ("route", "replace", "default", "via", "10.0.0.77", "dev", "eth0"),
    "another way of a host route": ("route", "replace", "192.168.0.0/24", "via", "10.0.0.77"),
}


@pytest.mark.parametrize("own", list(OWN))
def test_what_a_server_made_for_itself_stays(
    wiring: Wiring, server: Callable[..., Server], own: str
) -> None:
    """A look at the network changes nothing of a granted server's own making."""
    one = server(a_vif(5, "tap"))
    one.wire(wiring)
    one.ip(*OWN[own])
    made = one.state()
    assert one.wire(wiring).changes == []
    assert one.state() == made


def test_what_a_server_made_for_itself_stays_beside_a_repair(
    wiring: Wiring, server: Callable[..., Server]
) -> None:
    """An IPv6 address of VRRP's survives the repair of all the port's addresses."""
    one = server(a_vif(5, "tap"))
    one.wire(wiring)
    before = one.state()
    one.ip("address", "flush", "dev", "eth0")
    one.ip("address", "add", "fd00::99/128", "dev", "eth0", "nodad")
    assert one.wire(wiring).changes
    assert one.state()["addresses"] == before["addresses"] | {("eth0", "fd00::99/128", "global")}


def _fix(vif: model.VIF, *addresses: str) -> None:
    """Give a port other fixed addresses of the first subnet."""
    vif["network"]["subnets"][0]["ips"] = [model.FixedIP(address=each) for each in addresses]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("10.0.0.5", "10.0.0.6"), ("10.0.0.6",)),
        (("10.0.0.5", "10.0.0.6", "10.0.0.7"), ("10.0.0.7",)),
        (("10.0.0.5", "10.0.0.6"), ("10.0.0.5",)),
        (("10.0.0.5",), ("10.0.0.6",)),
        (("10.0.0.5", "10.0.0.6"), ("10.0.0.8", "10.0.0.6")),
    ],
)
@pytest.mark.parametrize("promote", ["0", "1"])
def test_an_address_that_neutron_takes_away_goes_alone(
    wiring: Wiring,
    server: Callable[..., Server],
    before: tuple[str, ...],
    after: tuple[str, ...],
    promote: str,
) -> None:
    """The first fixed address goes in one call, the others and all routes stay."""
    vif = a_vif(5, "tap")
    _fix(vif, *before)
    one = server(vif)
    one.wire(wiring)
    switch = "net.ipv4.conf.all.promote_secondaries"
    run("nsenter", f"--net=/proc/{one.process.pid}/ns/net", "sysctl", "-qw", f"{switch}={promote}")
    routes = one.state()["routes"]
    _fix(vif, *after)
    one.wire(wiring)
    state = one.state()
    found = {text for _, text, _ in state["addresses"] if text.startswith("10.")}
    assert found == {f"{each}/24" for each in after}
    assert state["routes"] == routes
    assert one.wire(wiring).changes == []


def test_a_route_that_neutron_changes_is_changed_in_place(
    wiring: Wiring, server: Callable[..., Server]
) -> None:
    """A new gateway takes the old one's place, and a host route taken by Neutron goes."""
    vif = a_vif(5, "tap")
    one = server(vif)
    one.wire(wiring)
    for subnet, gateway in zip(vif["network"]["subnets"], ("10.0.0.2", "fd00::2"), strict=True):
        subnet["gateway"] = model.IP(address=gateway, type="gateway")
        subnet["routes"] = []
    changes = one.wire(wiring).changes
    assert changes == [
        "eth0: route to 0.0.0.0/0 by 10.0.0.2 added",
        "eth0: route to ::/0 by fd00::2 added",
        "eth0: route to 192.168.0.0/24 by 10.0.0.254 removed",
    ]
    ways = {route[:2] for route in one.state()["routes"] if route[0] == "default"}
    assert ways == {("default", "10.0.0.2"), ("default", "fd00::2")}
    assert one.wire(wiring).changes == []


def test_a_way_out_passes_from_one_port_to_another(
    wiring: Wiring, server: Callable[..., Server]
) -> None:
    """The second port's gateway takes over where the first has none any more."""
    first, second = a_vif(5, "tap"), a_vif(6, "tap", nic=1)
    one = server(first, second)
    one.wire(wiring)
    for subnet in first["network"]["subnets"]:
        subnet["gateway"] = None
    one.wire(wiring)
    ways = {route[:3] for route in one.state()["routes"] if route[0] == "default"}
    assert ways == {("default", "10.1.0.1", "eth1"), ("default", "fd00:1::1", "eth1")}
    assert one.wire(wiring).changes == []
