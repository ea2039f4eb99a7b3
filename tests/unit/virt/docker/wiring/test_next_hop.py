# SPDX-License-Identifier: Apache-2.0
"""Next hops taken by Neutron and refused by a kernel, as a table."""

import pytest

from novadocker.virt.docker.wiring.plan import Route
from tests.unit.virt.docker.wiring.planned import plan, subnet, vif

IPV4, IPV6 = "10.9.0.0/16", "fd09::/64"
UNUSABLE: dict[str, tuple[str, str, str]] = {
    "multicast": (IPV4, "224.0.0.1", "is a multicast address"),
    "multicast of an organization": (IPV4, "239.255.255.250", "is a multicast address"),
    "loopback": (IPV4, "127.0.0.1", "is a loopback address"),
    "limited broadcast": (IPV4, "255.255.255.255", "is a broadcast address"),
    "broadcast of the subnet": (IPV4, "10.0.0.255", "is a broadcast address"),
    "address of the other port": (IPV4, "10.1.0.5", "is an address of this server"),
    "IPv6 for IPv4": (IPV4, "fd00::1", "is of IPv6, the destination is not"),
    "IPv4 for IPv6": (IPV6, "10.0.0.1", "is of IPv4, the destination is not"),
    "IPv6 multicast": (IPV6, "ff02::1", "is a multicast address"),
    "IPv6 loopback": (IPV6, "::1", "is a loopback address"),
    "IPv6 address of the other port": (IPV6, "fd01::5", "is an address of this server"),
}


@pytest.mark.parametrize("case", list(UNUSABLE))
def test_a_route_by_a_hop_that_nothing_can_be_sent_to_is_left_out(case: str) -> None:
    """The other routes stay, and a remark names route and reason."""
    destination, hop, reason = UNUSABLE[case]
    first = vif(
        subnet("10.0.0.0/24", "10.0.0.5", gateway="10.0.0.1", routes=((destination, hop),)),
        subnet("fd00::/64", "fd00::5"),
    )
    second = vif(subnet("10.1.0.0/24", "10.1.0.5"), subnet("fd01::/64", "fd01::5"))
    result = plan(first, second)
    assert result.nics[0].routes == (Route("0.0.0.0/0", "10.0.0.1"),)
    assert result.remarks == (
        f"eth0 leaves out its route to {destination} by {hop}: the next hop {reason}",
    )


@pytest.mark.parametrize("hop", ["169.254.0.1", "240.0.0.1", "10.0.0.0", "192.0.2.1"])
def test_a_hop_that_the_kernel_takes_is_planned(hop: str) -> None:
    """An odd next hop is the tenant's own affair as long as it harms nobody else."""
    own = subnet("10.0.0.0/24", "10.0.0.5", routes=((IPV4, hop),))
    assert [route.gateway for route in plan(vif(own)).nics[0].routes] == [hop]


def test_an_unusable_gateway_gives_way_to_the_next_ports() -> None:
    """A default route that no kernel takes does not keep the second port's out."""
    bad = vif(subnet("10.0.0.0/24", "10.0.0.5", gateway="224.0.0.1"))
    good = vif(subnet("10.1.0.0/24", "10.1.0.5", gateway="10.1.0.1"))
    assert [nic.routes for nic in plan(bad, good).nics] == [(), (Route("0.0.0.0/0", "10.1.0.1"),)]
