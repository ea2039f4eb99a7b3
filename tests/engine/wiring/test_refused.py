# SPDX-License-Identifier: Apache-2.0
"""Ports with parts that no kernel takes, made by a plain tenant in Neutron."""

from collections.abc import Callable

import pytest
from nova.network import model

from novadocker.virt.docker.wiring import Wiring
from tests.engine.wiring.stand_in import Server, a_vif


def _with_route(destination: str, hop: str) -> model.VIF:
    vif = a_vif(5, "tap")
    subnet = vif["network"]["subnets"][1 if ":" in destination else 0]
    subnet["routes"] = [
        model.Route(cidr=destination, gateway=model.IP(address=hop, type="gateway")),
        *subnet["routes"],
    ]
    return vif


def _with_subnet(cidr: str, *addresses: str, gateway: str | None = None) -> model.VIF:
    vif = a_vif(5, "tap")
    vif["network"]["subnets"].append(
        model.Subnet(
            cidr=cidr,
            gateway=model.IP(address=gateway, type="gateway"),
            ips=[model.FixedIP(address=address) for address in addresses],
        )
    )
    return vif


def _with_mtu(mtu: int) -> model.VIF:
    vif = a_vif(5, "tap")
    vif["network"]["meta"]["mtu"] = mtu
    return vif


# The second value is what the log says about it; none where the kernel takes all.
ODD: dict[str, tuple[model.VIF, str]] = {
    "a hop that is a group": (_with_route("10.9.0.0/16", "224.0.0.1"), "by 224.0.0.1"),
    "a hop that is loopback": (_with_route("10.9.0.0/16", "127.0.0.1"), "by 127.0.0.1"),
    "a hop that is all": (_with_route("10.9.0.0/16", "255.255.255.255"), "by 255.255.255.255"),
    "a hop that is the subnet": (_with_route("10.9.0.0/16", "10.0.0.255"), "by 10.0.0.255"),
    "a hop without a meaning": (_with_route("10.9.0.0/16", "0.0.0.9"), ""),
    "a hop that is reserved": (_with_route("10.9.0.0/16", "240.0.0.1"), ""),
    "a hop that is link-local": (_with_route("10.9.0.0/16", "169.254.7.7"), ""),
    "a hop by IPv6 that is a group": (_with_route("fd09::/64", "ff02::1"), "by ff02::1"),
    "a hop by IPv6 that is loopback": (_with_route("fd09::/64", "::1"), "by ::1"),
    "a hop by IPv6 with an address of IPv4": (_with_route("fd09::/64", "::ffff:10.0.0.1"), ""),
    "to groups": (_with_route("224.0.0.0/4", "10.0.0.9"), ""),
    "to this network": (_with_route("0.0.0.0/8", "10.0.0.9"), ""),
    "to no address": (_with_route("0.0.0.0/32", "10.0.0.9"), ""),
    "to loopback": (_with_route("127.0.0.0/8", "10.0.0.9"), ""),
    "to all": (_with_route("255.255.255.255/32", "10.0.0.9"), ""),
    "to link-local": (_with_route("169.254.0.0/16", "10.0.0.9"), ""),
    "to its own address": (_with_route("10.0.0.5/32", "10.0.0.9"), ""),
    "to groups of IPv6": (_with_route("ff00::/8", "fd00::9"), ""),
    "to loopback of IPv6": (_with_route("::1/128", "fd00::9"), ""),
    "to link-local of IPv6": (_with_route("fe80::/64", "fd00::9"), ""),
    "to addresses of IPv4 in IPv6": (_with_route("::ffff:0:0/96", "fd00::9"), ""),
    "an address of a group": (_with_subnet("224.0.9.0/24", "224.0.9.5"), ""),
    "an address of loopback": (_with_subnet("127.9.0.0/16", "127.9.0.5"), ""),
    "an address of this network": (_with_subnet("0.0.9.0/24", "0.0.9.5"), ""),
    "a link-local address": (_with_subnet("169.254.0.0/16", "169.254.7.7"), ""),
    "an address of a group of IPv6": (_with_subnet("ff05::/64", "ff05::5"), "address ff05::5/64"),
    "an address of loopback of IPv6": (_with_subnet("::/64", "::1"), "address ::1/64"),
    "a link-local address of IPv6": (_with_subnet("fe80::/64", "fe80::5"), ""),
    "an address twice": (_with_subnet("10.0.0.0/24", "10.0.0.5"), ""),
    "an address twice, with two prefixes": (_with_subnet("10.0.0.0/16", "10.0.0.5"), ""),
    "an IPv6 address twice": (_with_subnet("fd00::/48", "fd00::5"), "address fd00::5/48"),
    "a gateway that is a group": (
        _with_subnet("10.8.0.0/24", "10.8.0.5", gateway="224.0.0.1"),
        "",  # the first subnet's gateway comes first
    ),
    "an MTU of one byte": (_with_mtu(1), "no interface can have 1"),
    "an MTU beyond all": (_with_mtu(70000), "no interface can have 70000"),
}


@pytest.mark.parametrize("case", list(ODD))
def test_a_part_that_the_kernel_refuses_costs_that_part_alone(
    wiring: Wiring,
    server: Callable[..., Server],
    caplog: pytest.LogCaptureFixture,
    case: str,
) -> None:
    """The port is wired, the log names server and part once, a second call changes nothing."""
    vif, told = ODD[case]
    one = server(vif)
    one.wire(wiring)
    state = one.state()
    assert ("eth0", "10.0.0.5/24", "global") in state["addresses"]
    routes = {route[:3] for route in state["routes"]}
    assert {("default", "10.0.0.1", "eth0"), ("192.168.0.0/24", "10.0.0.254", "eth0")} <= routes
    again = one.wire(wiring)
    assert again.changes == []
    lines = [line for line in caplog.text.splitlines() if one.instance.uuid in line]
    warned = [line for line in lines if "WARNING" in line and "Network of server" in line]
    assert len([line for line in warned if told and told in line]) == bool(told), warned


def test_a_server_is_repaired_beside_what_is_refused(
    wiring: Wiring, server: Callable[..., Server]
) -> None:
    """A bad route keeps no audit from bringing back what broke."""
    one = server(_with_route("10.9.0.0/16", "224.0.0.1"))
    one.wire(wiring)
    before = one.state()
    one.ip("route", "delete", "default")
    assert one.wire(wiring).changes == ["eth0: route to 0.0.0.0/0 by 10.0.0.1 added"]
    assert one.state() == before


@pytest.mark.parametrize("name", ["_x", "é", "-", "a+b"])
def test_a_renamed_interface_is_looked_after_by_any_name(
    wiring: Wiring, server: Callable[..., Server], name: str
) -> None:
    """An interface renamed by a server with NET_ADMIN is repaired under the new name."""
    one = server(a_vif(5, "tap"))
    one.wire(wiring)
    one.ip("link", "set", "eth0", "down")
    one.ip("link", "set", "eth0", "name", name)
    assert f"{name}: up" in one.wire(wiring).changes
    assert ("default", "10.0.0.1", name) in {route[:3] for route in one.state()["routes"]}
