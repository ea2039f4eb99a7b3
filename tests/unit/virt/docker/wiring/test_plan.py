# SPDX-License-Identifier: Apache-2.0
"""Plans for odd and ordinary ports, as tables."""

import pytest
from nova.network import model

from novadocker.errors import VifRefused
from novadocker.virt.docker.wiring.plan import Nic, Plan, Route
from tests.unit.virt.docker.wiring.planned import OVN, PORT, V4, plan, subnet, vif


def test_a_port_is_planned_whole() -> None:
    """Name, host end, MAC, MTU, address, route and offload come from Nova's record."""
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


def test_allowed_address_pairs_are_neutrons() -> None:
    """An allowed address pair is no address of the interface."""
    port = vif(subnet("10.0.0.0/24", "10.0.0.5"), details={"port_filter": True})
    port["profile"] = {"allowed_address_pairs": [{"ip_address": "10.0.0.99"}]}
    assert plan(port).nics[0].addresses == ("10.0.0.5/24",)


def test_floating_addresses_are_the_routers() -> None:
    """A floating address is not on the interface."""
    own = subnet("10.0.0.0/24", "10.0.0.5")
    own["ips"][0].add_floating_ip(model.IP(address="203.0.113.7", type="floating"))
    assert plan(vif(own)).nics[0].addresses == ("10.0.0.5/24",)


def test_a_small_mtu_leaves_ipv6_off_that_port_only() -> None:
    """An MTU below 1280 leaves IPv6 out of the plan, with a remark."""
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
    """The host end of a port without a device name has Nova's."""
    assert plan(vif(devname=None)).nics[0].host_device == "tap11111111-22"


@pytest.mark.parametrize(("datapath", "expected"), [("netdev", False), ("system", True)])
def test_checksums_are_computed_on_the_user_space_datapath(datapath: str, expected: bool) -> None:
    """Only a datapath in the kernel completes open checksums."""
    assert plan(vif(details={"datapath_type": datapath})).nics[0].checksum_offload is expected


@pytest.mark.parametrize(("hybrid", "expected"), [(True, "qbr11111111-22"), (False, None)])
def test_the_hybrid_plug_has_a_bridge(hybrid: bool, expected: str | None) -> None:
    """The bridge of the hybrid plug has os-vif's name."""
    assert plan(vif(details={"ovs_hybrid_plug": hybrid})).nics[0].bridge == expected


CONTRAIL = model.Network(id="net", bridge=None, subnets=[V4], mtu=None)


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
    """A subnet's resolvers win; the unspecified address stands for none."""
    port = vif(subnet("10.0.0.0/24", "10.0.0.5", dns=named))
    assert plan(port, default_dns=default).dns == expected


def test_contrails_ports_are_ordinary_interfaces() -> None:
    """A vRouter completes checksums, and has no bridge."""
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
    """The refusal names port, type and remedy."""
    with pytest.raises(VifRefused, match=advice) as caught:
        plan(vif(), vif(type=vif_type))
    assert caught.value.values["port"] == PORT


@pytest.mark.parametrize("vnic_type", ["direct", "macvtap", "virtio-forwarder", "vdpa"])
def test_a_vnic_type_for_virtual_machines_is_refused(vnic_type: str) -> None:
    """A handed-over device is not for a container, under any VIF type."""
    with pytest.raises(VifRefused, match=f"VNIC type {vnic_type}"):
        plan(vif(vnic_type=vnic_type))


@pytest.mark.parametrize(
    "mac", ["01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00", None]
)
def test_a_mac_address_of_no_interface_is_refused(mac: str | None) -> None:
    """Neutron takes a group's address for a port; the kernel does not."""
    with pytest.raises(VifRefused, match=f"no interface can have the MAC address {mac}"):
        plan(vif(address=mac))


@pytest.mark.parametrize(("mtu", "expected"), [(1, 68), (67, 68), (68, 68), (65536, 65535)])
def test_an_mtu_of_no_interface_is_brought_to_the_nearest(mtu: int, expected: int) -> None:
    """A network's MTU outside of the kernel's limits is cut, and the plan says so."""
    result = plan(vif(mtu=mtu))
    assert result.nics[0].mtu == expected
    cut = f"eth0 has an MTU of {expected}: no interface can have {mtu}"
    assert (cut in result.remarks) == (mtu != expected)


def test_a_nic_survives_a_journey_as_plain_values() -> None:
    """A NIC is the same on the privileged daemon's side."""
    (nic,) = plan(vif(V4, details=OVN)).nics
    values = {
        **vars(nic),
        "addresses": list(nic.addresses),
        "routes": [vars(route) for route in nic.routes],
    }
    assert Nic.from_primitive(values) == nic
