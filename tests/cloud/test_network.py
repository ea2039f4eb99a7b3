# SPDX-License-Identifier: Apache-2.0
"""Ports on Neutron's networks: interfaces of a server, and reachable peers."""

import json

import pytest

from novadocker.cloud.layout.layout import RESOLVER
from tests.support.cloud_site import (
    Site,
    Tenant,
    page,
    until,
)


@pytest.fixture
def pair(tenant: Tenant, web: str) -> tuple[str, str]:
    """Two web servers of the test's own, booted at the same time."""
    first, second = (tenant.request(web) for _ in range(2))
    for server in (first, second):
        tenant.site.wait(server, "ACTIVE")
    return first, second


def test_a_port_is_inside_as_neutron_has_it(site: Site, standing: str) -> None:
    """MAC, MTU, default route are those of the port and its network, resolvers the cloud's."""
    (port,) = site.ports(standing)
    network = site.demo.network.get_network(port.network_id)
    subnet = site.demo.network.get_subnet(port.fixed_ips[0]["subnet_id"])
    link = site.run(standing, "cat", "/sys/class/net/eth0/address", "/sys/class/net/eth0/mtu")
    assert link.split() == [port.mac_address, str(network.mtu)]
    assert f"default via {subnet.gateway_ip} " in site.run(standing, "ip", "route")
    names = site.run(standing, "cat", "/etc/resolv.conf").splitlines()
    assert [line for line in names if "nameserver" in line] == [f"nameserver {RESOLVER}"]


def test_servers_on_one_network_reach_each_other(site: Site, pair: tuple[str, str]) -> None:
    """Two servers on one network speak TCP with each other, both ways."""
    first, second = pair
    until(lambda: site.reaches(first, site.fixed_address(second)), "the second to answer")
    until(lambda: site.reaches(second, site.fixed_address(first)), "the first to answer")


def test_servers_on_two_networks_reach_each_other_through_a_router(
    site: Site, tenant: Tenant, web: str, standing: str
) -> None:
    """A server reaches one on another network of the same router."""
    other = tenant.network("10.77.1.0/24", routed=True)
    server = tenant.boot(web, networks=(other,))
    address = site.fixed_address(server, other)
    until(lambda: site.reaches(standing, address), "the router to hand on")


def test_networks_without_a_router_are_apart(
    site: Site, tenant: Tenant, web: str, standing: str
) -> None:
    """A server on a network without a router is not reached from another network."""
    island = tenant.network("10.77.2.0/24", routed=False)
    server = tenant.boot(web, networks=(island,))
    assert not site.reaches(standing, site.fixed_address(server, island))


def test_a_server_has_as_many_nics_as_networks(site: Site, tenant: Tenant, web: str) -> None:
    """With two networks a server has eth0 and eth1, in the order of the request."""
    second = tenant.network("10.77.3.0/24", routed=False)
    server = tenant.boot(web, networks=("private", second))
    for link, network in (("eth0", "private"), ("eth1", second)):
        seen = site.run(server, "ip", "-4", "-o", "address", "show", "dev", link)
        assert site.fixed_address(server, network) in seen
    assert site.run(server, "ip", "route").count("default") == 1


def test_a_security_group_keeps_out_what_it_does_not_let_in(
    site: Site, tenant: Tenant, web: str
) -> None:
    """A port is closed until a rule of its security group opens it, while the server runs."""
    group = tenant.group(22)
    server = tenant.boot(web, groups=(group,))
    address = site.give_address(server)
    with pytest.raises(pytest.fail.Exception):
        page(address, patience=3)
    tenant.open(group, 80)
    page(address)


def test_the_metadata_service_answers(site: Site, standing: str) -> None:
    """A server gets its own metadata and user data at 169.254.169.254."""
    url = "http://169.254.169.254/openstack/latest"
    get = ("timeout", "10", "wget", "-q", "-O", "-")
    data = json.loads(site.run(standing, *get, f"{url}/meta_data.json"))
    assert data["uuid"] == standing
    assert data["meta"]["answer"] == "42"
    assert site.run(standing, *get, f"{url}/user_data") == "what the user says"


def test_a_server_without_a_network_boots(site: Site, tenant: Tenant, web: str) -> None:
    """A server that asked for no network has a loopback device only."""
    server = tenant.boot(web, networks=(), groups=())
    links = site.run(server, "ls", "/sys/class/net").split()
    assert [link for link in links if link.startswith("eth")] == []
