# SPDX-License-Identifier: Apache-2.0
"""Services of a subnet's DHCP server for servers without a DHCP client."""

import pytest
from nova.network import model

from novadocker.virt.docker.wiring.plan import METADATA, Route
from tests.unit.virt.docker.wiring.planned import OVN, plan, subnet, vif

SERVER = "10.0.0.2"
ISOLATED = subnet("10.0.0.0/24", "10.0.0.5", dhcp_server=SERVER)
ROUTED = subnet("10.0.0.0/24", "10.0.0.5", dhcp_server=SERVER, gateway="10.0.0.1")
OTHER = subnet("10.1.0.0/24", "10.1.0.5", gateway="10.1.0.1")
DIRECT = subnet("10.0.0.0/24", "10.0.0.5", dhcp_server=SERVER, routes=((METADATA, "10.0.0.9"),))
V6 = subnet("fd00::/64", "fd00::5", dhcp_server="fd00::2")


@pytest.mark.parametrize(
    ("vifs", "expected"),
    [
        ((vif(ISOLATED),), (Route(METADATA, SERVER),)),
        ((vif(V6, ISOLATED),), (Route(METADATA, SERVER),)),
        ((vif(ROUTED),), ()),
        ((vif(ISOLATED), vif(OTHER)), ()),
        ((vif(DIRECT),), (Route(METADATA, "10.0.0.9"),)),
        ((vif(V6),), ()),
        ((vif(ISOLATED, details=OVN),), (Route(METADATA),)),
    ],
)
def test_it_serves_metadata_where_no_router_does(
    vifs: tuple[model.VIF, ...], expected: tuple[Route, ...]
) -> None:
    """The route to the metadata is the same as by DHCP."""
    routes = [route for nic in plan(*vifs).nics for route in nic.routes]
    assert tuple(route for route in routes if route.destination == METADATA) == expected


def test_it_serves_metadata_beside_a_router_where_the_operator_says_so() -> None:
    """An option stands for the agents' ``force_metadata``, absent from Nova's record of a port."""
    (nic,) = plan(vif(ROUTED), metadata_by_dhcp=True).nics
    assert [route.gateway for route in nic.routes if route.destination == METADATA] == [SERVER]


@pytest.mark.parametrize(
    ("named", "default", "expected"),
    [
        ((), (), (SERVER,)),
        (("9.9.9.9",), (), ("9.9.9.9",)),
        ((), ("8.8.8.8",), ("8.8.8.8",)),
        (("0.0.0.0",), (), ()),
    ],
)
def test_it_resolves_names_where_nobody_else_is_named(
    named: tuple[str, ...], default: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    """The subnet's own resolvers come first, then the operator's."""
    port = vif(subnet("10.0.0.0/24", "10.0.0.5", dns=named, dhcp_server=SERVER))
    assert plan(port, default_dns=default).dns == expected
