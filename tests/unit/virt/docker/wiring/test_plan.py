# SPDX-License-Identifier: Apache-2.0
"""Plans for odd and ordinary ports, as tables."""

from typing import Any

import pytest
from nova.network import model

from novadocker.virt.docker.errors import VifRefused
from novadocker.virt.docker.wiring.plan import Nic, Plan, Route, make_plan

PORT = "11111111-2222-3333-4444-555555555555"


def subnet(
    cidr: str,
    *addresses: str,
    gateway: str | None = None,
    routes: tuple[tuple[str, str | None], ...] = (),
    dns: tuple[str, ...] = (),
    **meta: Any,
) -> model.Subnet:
    """Make a subnet as Nova describes it."""
    return model.Subnet(
        cidr=cidr,
        gateway=model.IP(address=gateway, type="gateway"),
        ips=[model.FixedIP(address=address) for address in addresses],
        routes=[model.Route(cidr=to, gateway=model.IP(address=via)) for to, via in routes],
        dns=[model.IP(address=address, type="dns") for address in dns],
        **meta,
    )


def vif(
    *subnets: model.Subnet,
    port: str = PORT,
    mtu: int | None = 1442,
    details: dict[str, Any] | None = None,
    **values: Any,
) -> model.VIF:
    """Make a port as Nova describes it."""
    return model.VIF(
        **{
            "id": port,
            "address": "FA:16:3E:00:00:01",
            "network": model.Network(id="net", bridge="br-int", subnets=list(subnets), mtu=mtu),
            "type": "ovs",
            "details": details or {},
            "devname": f"tap{port}"[:14],
            **values,
        }
    )


def plan(*vifs: model.VIF, **values: Any) -> Plan:
    """Plan a server's network."""
    return make_plan(
        list(vifs), **{"hostname": "web", "vif_types": ("ovs", "vrouter", "tap"), **values}
    )


def test_a_port_is_planned_whole() -> None:
    """Name, host end, MAC, MTU, address, route and offload come from what Nova says."""
    port = vif(
        subnet("10.0.0.0/24", "10.0.0.5", gateway="10.0.0.1"), details={"datapath_type": "system"}
    )
    assert plan(port).nics == (
        Nic(
            port_id=PORT,
            vif_type="ovs",
            name="eth0",
            host_device="tap11111111-22",
            mac="fa:16:3e:00:00:01",
            mtu=1442,
            addresses=("10.0.0.5/24",),
            routes=(Route("0.0.0.0/0", "10.0.0.1"),),
            checksum_offload=True,
        ),
    )


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
    """Every fixed address has its subnet's prefix, every route a next hop that is reachable."""
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
    """A provider's router announces the default route of a subnet that names no gateway."""
    meta = {"ipv6_address_mode": mode} if mode else {}
    (nic,) = plan(vif(subnet("fd00::/64", "fd00::5", gateway=gateway, **meta))).nics
    assert nic.router_advertisements is expected


def test_one_default_route_of_each_family_in_all() -> None:
    """The first port that has a default route of a family keeps it."""
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
    """The kernel has made it with the address, be it another port's, and takes no second."""
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


def test_allowed_address_pairs_are_neutrons() -> None:
    """What a port may also send from is no address of the interface."""
    port = vif(subnet("10.0.0.0/24", "10.0.0.5"), details={"port_filter": True})
    port["profile"] = {"allowed_address_pairs": [{"ip_address": "10.0.0.99"}]}
    assert plan(port).nics[0].addresses == ("10.0.0.5/24",)


def test_floating_addresses_are_the_routers() -> None:
    """A floating address is not on the interface."""
    own = subnet("10.0.0.0/24", "10.0.0.5")
    own["ips"][0].add_floating_ip(model.IP(address="203.0.113.7", type="floating"))
    assert plan(vif(own)).nics[0].addresses == ("10.0.0.5/24",)


def test_a_small_mtu_leaves_ipv6_off_that_port_only() -> None:
    """The kernel has no IPv6 below 1280, so nothing of it is planned there, and that is said."""
    both = (
        subnet("10.0.0.0/24", "10.0.0.5"),
        subnet("fd00::/64", "fd00::5", gateway="fd00::1"),
    )
    small, large = (result := plan(vif(*both, mtu=1279), vif(*both, mtu=1280))).nics
    assert (small.ipv6, small.addresses, small.routes) == (False, ("10.0.0.5/24",), ())
    assert large.ipv6
    assert large.routes == (Route("::/0", "fd00::1"),)
    assert result.remarks == ("eth0 has no IPv6: its MTU of 1279 is below 1280",)


def test_a_network_without_mtu_has_the_usual_one() -> None:
    """Ethernet's 1500 is taken where Neutron says nothing."""
    assert plan(vif(mtu=None)).nics[0].mtu == 1500


def test_sixteen_ports_have_their_names_in_order() -> None:
    """Interfaces are numbered as Nova has the ports."""
    nics = plan(*(vif(port=f"{number:08d}-0000") for number in range(16))).nics
    assert [nic.name for nic in nics] == [f"eth{number}" for number in range(16)]
    assert len({nic.host_device for nic in nics}) == 16


def test_a_port_without_device_name_gets_novas() -> None:
    """The host end is called as Nova would call it."""
    assert plan(vif(devname=None)).nics[0].host_device == "tap11111111-22"


@pytest.mark.parametrize(("datapath", "expected"), [("netdev", False), ("system", True)])
def test_checksums_are_computed_on_the_user_space_datapath(datapath: str, expected: bool) -> None:
    """Only a datapath in the kernel completes a checksum that was left open."""
    assert plan(vif(details={"datapath_type": datapath})).nics[0].checksum_offload is expected


@pytest.mark.parametrize(("hybrid", "expected"), [(True, "qbr11111111-22"), (False, None)])
def test_the_hybrid_plug_has_a_bridge(hybrid: bool, expected: str | None) -> None:
    """The bridge is named as os-vif names it."""
    assert plan(vif(details={"ovs_hybrid_plug": hybrid})).nics[0].bridge == expected


OVN = {"bound_drivers": {"0": "ovn"}}
METADATA = Route("169.254.169.254/32")
V4 = subnet("10.0.0.0/24", "10.0.0.5", gateway="10.0.0.1")
CONTRAIL = model.Network(id="net", bridge=None, subnets=[V4], mtu=None)
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
    """OVN answers for it on the link and offers no route; where there is one it is followed."""
    vifs, expected = METADATA_CASES[case]
    assert [METADATA in nic.routes for nic in plan(*vifs).nics] == expected


@pytest.mark.parametrize(
    ("named", "default", "expected"),
    [
        ((), ("9.9.9.9",), ("9.9.9.9",)),
        (("10.0.0.2", "10.0.0.3", "10.0.0.2"), ("9.9.9.9",), ("10.0.0.2", "10.0.0.3")),
        (("0.0.0.0",), ("9.9.9.9",), ()),
        ((), (), ()),
    ],
)
def test_resolvers_are_the_subnets_or_the_defaults(
    named: tuple[str, ...], default: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    """A subnet's resolvers win; the unspecified address says that it wants none."""
    port = vif(subnet("10.0.0.0/24", "10.0.0.5", dns=named))
    assert plan(port, default_dns=default).dns == expected


def test_contrails_ports_are_ordinary_interfaces() -> None:
    """Its vRouter completes checksums, and has no bridge."""
    (nic,) = plan(vif(V4, type="vrouter", network=CONTRAIL, ovs_interfaceid=None)).nics
    assert (nic.vif_type, nic.checksum_offload, nic.bridge) == ("vrouter", True, None)


def test_the_search_domain_is_the_clouds() -> None:
    """Nova tells of no network's own."""
    assert plan(vif(V4), domain="example.org").search == ("example.org",)
    assert plan(vif(V4)).search == ()


def test_a_server_without_ports_has_a_plan() -> None:
    """Nothing but loopback is a network too."""
    assert plan(domain="example.org") == Plan(hostname="web", domain="example.org")


@pytest.mark.parametrize(
    ("vif_type", "advice"),
    [
        ("bridge", "no longer have Linux bridge"),
        ("vhostuser", "dpdkvhostuser"),
        ("hw_veb", "VNIC type 'normal'"),
        ("hostdev_physical", "VNIC type 'normal'"),
        ("macvtap", "VNIC type 'normal'"),
        ("unbound", "binding:host_id"),
        (None, "binding:host_id"),
        ("binding_failed", "neutron-server's log"),
        ("dvs", "this host has backends for ovs, vrouter, tap"),
    ],
)
def test_a_vif_type_that_cannot_be_wired_is_refused(vif_type: str | None, advice: str) -> None:
    """The refusal names the port and the type, and says what to do."""
    with pytest.raises(VifRefused, match=advice) as caught:
        plan(vif(), vif(type=vif_type))
    assert caught.value.values["port"] == PORT


@pytest.mark.parametrize("vnic_type", ["direct", "macvtap", "virtio-forwarder", "vdpa"])
def test_a_vnic_type_for_virtual_machines_is_refused(vnic_type: str) -> None:
    """A device that is handed over is not for a container, whatever the VIF type."""
    with pytest.raises(VifRefused, match=f"VNIC type {vnic_type}"):
        plan(vif(vnic_type=vnic_type))


def test_a_nic_survives_a_journey_as_plain_values() -> None:
    """What the privileged daemon gets is what was planned."""
    (nic,) = plan(vif(V4, details=OVN)).nics
    values = {
        **vars(nic),
        "addresses": list(nic.addresses),
        "routes": [vars(route) for route in nic.routes],
    }
    assert Nic.from_primitive(values) == nic
