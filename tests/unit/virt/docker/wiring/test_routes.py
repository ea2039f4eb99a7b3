# SPDX-License-Identifier: Apache-2.0
"""Addresses and routes of planned ports, as tables."""

import pytest
from nova.network import model

from novadocker.virt.docker.wiring.plan import Route
from tests.unit.virt.docker.wiring.planned import OVN, V4, plan, subnet, vif

ADDRESSING: dict[str, tuple[list[model.Subnet], tuple[str, ...], tuple[Route, ...]]] = {
    "no subnet": ([], (), ()),
    "no gateway": ([subnet("10.0.0.0/24", "10.0.0.5")], ("10.0.0.5/24",), ()),
    "several addresses of a subnet": (
        [subnet("10.0.0.0/24", "10.0.0.5", "10.0.0.6", gateway="10.0.0.1")],
        ("10.0.0.5/24", "10.0.0.6/24"),
        (Route("0.0.0.0/0", "10.0.0.1"),),
    ),
    "several subnets, of which the first with a gateway wins": (
        [
            subnet("10.0.0.0/24", "10.0.0.5"),
            subnet("10.1.0.0/24", "10.1.0.5", gateway="10.1.0.1"),
            subnet("10.2.0.0/24", "10.2.0.5", gateway="10.2.0.1"),
        ],
        ("10.0.0.5/24", "10.1.0.5/24", "10.2.0.5/24"),
        (Route("0.0.0.0/0", "10.1.0.1"),),
    ),
    "/31": (
        [subnet("10.0.0.0/31", "10.0.0.1", gateway="10.0.0.0")],
        ("10.0.0.1/31",),
        (Route("0.0.0.0/0", "10.0.0.0"),),
    ),
    "/32 with its gateway elsewhere on the link": (
        [subnet("10.0.0.5/32", "10.0.0.5", gateway="169.254.0.1")],
        ("10.0.0.5/32",),
        (Route("0.0.0.0/0", "169.254.0.1", onlink=True),),
    ),
    "gateway outside the subnet": (
        [subnet("10.0.0.0/24", "10.0.0.5", gateway="10.9.9.1")],
        ("10.0.0.5/24",),
        (Route("0.0.0.0/0", "10.9.9.1", onlink=True),),
    ),
    "gateway in the port's other subnet": (
        [subnet("10.0.0.0/24", "10.0.0.5", gateway="10.1.0.1"), subnet("10.1.0.0/24", "10.1.0.5")],
        ("10.0.0.5/24", "10.1.0.5/24"),
        (Route("0.0.0.0/0", "10.1.0.1"),),
    ),
    "the port is its subnet's gateway": (
        [subnet("10.0.0.0/24", "10.0.0.1", gateway="10.0.0.1")],
        ("10.0.0.1/24",),
        (),
    ),
    "host routes, those on the link first": (
        [
            subnet(
                "10.0.0.0/24",
                "10.0.0.5",
                gateway="10.0.0.1",
                routes=(("192.168.0.7/24", "10.0.0.254"), ("172.16.0.0/12", "0.0.0.0")),
            )
        ],
        ("10.0.0.5/24",),
        (
            Route("172.16.0.0/12"),
            Route("192.168.0.0/24", "10.0.0.254"),
            Route("0.0.0.0/0", "10.0.0.1"),
        ),
    ),
    "a host route to everywhere in the gateway's place": (
        [
            subnet(
                "10.0.0.0/24",
                "10.0.0.5",
                gateway="10.0.0.1",
                routes=(("0.0.0.0/0", "10.0.0.254"),),
            )
        ],
        ("10.0.0.5/24",),
        (Route("0.0.0.0/0", "10.0.0.254"),),
    ),
    "dual stack": (
        [
            subnet("10.0.0.0/24", "10.0.0.5", gateway="10.0.0.1"),
            subnet("fd00:0:0::/64", "fd00:0::5", gateway="FD00::1"),
        ],
        ("10.0.0.5/24", "fd00::5/64"),
        (Route("0.0.0.0/0", "10.0.0.1"), Route("::/0", "fd00::1")),
    ),
    "SLAAC": (
        [
            subnet(
                "fd00::/64",
                "fd00::f816:3eff:fe00:1",
                gateway="fd00::1",
                ipv6_address_mode="slaac",
            )
        ],
        ("fd00::f816:3eff:fe00:1/64",),
        (Route("::/0", "fd00::1"),),
    ),
    "SLAAC and DHCPv6 for the rest": (
        [
            subnet(
                "fd00::/64",
                "fd00::f816:3eff:fe00:1",
                gateway="fd00::1",
                ipv6_address_mode="dhcpv6-stateless",
            )
        ],
        ("fd00::f816:3eff:fe00:1/64",),
        (Route("::/0", "fd00::1"),),
    ),
    "an IPv6 gateway outside the subnet": (
        [subnet("fd00::/64", "fd00::5", gateway="fd09::1")],
        ("fd00::5/64",),
        (Route("::/0", "fd09::1", onlink=True),),
    ),
    "/128": (
        [subnet("fd00::5/128", "fd00::5", gateway="fe80::1")],
        ("fd00::5/128",),
        (Route("::/0", "fe80::1"),),
    ),
    "/31 without gateway": ([subnet("10.0.0.0/31", "10.0.0.1")], ("10.0.0.1/31",), ()),
    "an address twice": (
        [subnet("10.0.0.0/24", "10.0.0.5", "10.0.0.5")],
        ("10.0.0.5/24",),
        (),
    ),
    "a host route twice, of which the first counts": (
        [
            subnet(
                "10.0.0.0/24",
                "10.0.0.5",
                routes=(("192.168.0.0/16", "10.0.0.2"), ("192.168.7.7/16", "10.0.0.3")),
            )
        ],
        ("10.0.0.5/24",),
        (Route("192.168.0.0/16", "10.0.0.2"),),
    ),
    "a host route by way of the port itself": (
        [subnet("10.0.0.0/24", "10.0.0.5", routes=(("192.168.0.0/16", "10.0.0.5"),))],
        ("10.0.0.5/24",),
        (),
    ),
    "a host route to everywhere on the link": (
        [subnet("10.0.0.0/24", "10.0.0.5", routes=(("0.0.0.0/0", "0.0.0.0"),))],
        ("10.0.0.5/24",),
        (Route("0.0.0.0/0"),),
    ),
    "halves of everywhere beside the gateway": (
        [
            subnet(
                "10.0.0.0/24",
                "10.0.0.5",
                gateway="10.0.0.1",
                routes=(("0.0.0.0/1", "10.0.0.2"), ("128.0.0.0/1", "10.0.0.2")),
            )
        ],
        ("10.0.0.5/24",),
        (
            Route("0.0.0.0/1", "10.0.0.2"),
            Route("128.0.0.0/1", "10.0.0.2"),
            Route("0.0.0.0/0", "10.0.0.1"),
        ),
    ),
    "a host route through a network on the link": (
        [
            subnet(
                "10.0.0.0/24",
                "10.0.0.5",
                routes=(("192.168.0.0/16", "172.16.0.1"), ("172.16.0.0/24", "0.0.0.0")),
            )
        ],
        ("10.0.0.5/24",),
        (Route("172.16.0.0/24"), Route("192.168.0.0/16", "172.16.0.1", onlink=True)),
    ),
    "DHCPv6 with a link-local gateway": (
        [subnet("fd00::/64", "fd00::5", gateway="fe80::1", ipv6_address_mode="dhcpv6-stateful")],
        ("fd00::5/64",),
        (Route("::/0", "fe80::1"),),
    ),
}


@pytest.mark.parametrize("case", list(ADDRESSING))
def test_addresses_and_routes_of_a_port(case: str) -> None:
    """Every fixed address has the subnet's prefix, every route a reachable next hop."""
    subnets, addresses, routes = ADDRESSING[case]
    (nic,) = plan(vif(*subnets)).nics
    assert nic.addresses == addresses
    assert nic.routes == routes


@pytest.mark.parametrize(
    ("mode", "gateway", "expected"),
    [
        ("slaac", None, True),
        ("dhcpv6-stateless", None, True),
        ("slaac", "fd00::1", False),
        (None, None, False),
    ],
)
def test_routers_are_heard_only_where_the_gateway_is_not_known(
    mode: str | None, gateway: str | None, expected: bool
) -> None:
    """A provider's router announces the default route of a subnet without a gateway."""
    meta = {"ipv6_address_mode": mode} if mode else {}
    (nic,) = plan(vif(subnet("fd00::/64", "fd00::5", gateway=gateway, **meta))).nics
    assert nic.router_advertisements is expected


def test_one_default_route_of_each_family_in_all() -> None:
    """The first port with a default route of a family keeps the route."""
    result = plan(
        vif(subnet("10.0.0.0/24", "10.0.0.5")),
        vif(
            subnet("10.1.0.0/24", "10.1.0.5", gateway="10.1.0.1"),
            subnet("fd01::/64", "fd01::5"),
        ),
        vif(
            subnet("10.2.0.0/24", "10.2.0.5", gateway="10.2.0.1"),
            subnet("fd02::/64", "fd02::5", gateway="fd02::1"),
        ),
    )
    assert [nic.routes for nic in result.nics] == [
        (),
        (Route("0.0.0.0/0", "10.1.0.1"),),
        (Route("::/0", "fd02::1"),),
    ]
    assert result.remarks == ()


def test_the_same_host_route_on_two_ports_is_the_first_ones() -> None:
    """A rival route is left out, and the plan says so."""
    one = subnet("10.0.0.0/24", "10.0.0.5", routes=(("192.168.0.0/16", "10.0.0.1"),))
    two = subnet("10.1.0.0/24", "10.1.0.5", routes=(("192.168.0.0/16", "10.1.0.1"),))
    result = plan(vif(one), vif(two))
    assert [nic.routes for nic in result.nics] == [(Route("192.168.0.0/16", "10.0.0.1"),), ()]
    (remark,) = result.remarks
    assert "eth1 leaves out its route to 192.168.0.0/16" in remark


def test_a_route_to_a_network_on_the_link_is_left_out() -> None:
    """A route to a connected network is left out: the kernel takes no second."""
    one = subnet("10.0.0.0/24", "10.0.0.5", routes=(("10.0.0.0/24", "10.0.0.1"),))
    two = subnet("10.1.0.0/24", "10.1.0.5", routes=(("10.0.0.0/24", "10.1.0.1"),))
    result = plan(vif(one), vif(two))
    assert [nic.routes for nic in result.nics] == [(), ()]
    assert result.remarks == (
        "eth0 leaves out its route to 10.0.0.0/24: eth0 is on that network",
        "eth1 leaves out its route to 10.0.0.0/24: eth0 is on that network",
    )


def test_two_ports_of_one_network_both_have_their_address() -> None:
    """Only the first leads out."""
    both = plan(
        vif(subnet("10.0.0.0/24", "10.0.0.5", gateway="10.0.0.1")),
        vif(subnet("10.0.0.0/24", "10.0.0.6", gateway="10.0.0.1")),
    ).nics
    assert [nic.addresses for nic in both] == [("10.0.0.5/24",), ("10.0.0.6/24",)]
    assert [nic.routes for nic in both] == [(Route("0.0.0.0/0", "10.0.0.1"),), ()]


METADATA = Route("169.254.169.254/32")
METADATA_CASES: dict[str, tuple[list[model.VIF], list[bool]]] = {
    "bound by OVN": ([vif(V4, details=OVN)], [True]),
    "only the first port": ([vif(V4, details=OVN), vif(V4, details=OVN)], [True, False]),
    "bound by the agent": ([vif(V4, details={"bound_drivers": {"0": "openvswitch"}})], [False]),
    "of Contrail, whose gateway leads there": (
        [vif(V4, type="vrouter")],
        [False],
    ),
    "bound by nobody knows": ([vif(V4)], [False]),
    "no IPv4": ([vif(subnet("fd00::/64", "fd00::5"), details=OVN)], [False]),
    "a host route covers it": (
        [
            vif(
                subnet("10.0.0.0/24", "10.0.0.5", routes=(("169.254.0.0/16", "10.0.0.2"),)),
                details=OVN,
            )
        ],
        [False],
    ),
    "a host route of another port covers it": (
        [
            vif(V4, details=OVN),
            vif(
                subnet("10.1.0.0/24", "10.1.0.5", routes=(("169.254.169.254/32", "10.1.0.2"),)),
                details=OVN,
            ),
        ],
        [False, False],
    ),
}


@pytest.mark.parametrize("case", list(METADATA_CASES))
def test_the_metadata_service_is_on_the_link_with_ovn(case: str) -> None:
    """OVN answers for the metadata on the link; a route of the subnet's goes first."""
    vifs, expected = METADATA_CASES[case]
    assert [METADATA in nic.routes for nic in plan(*vifs).nics] == expected
