# SPDX-License-Identifier: Apache-2.0
"""Ports that come and go while a server is there."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.cloud_site import Site, Tenant, until


@pytest.fixture(scope="module")
def other(owner: Tenant) -> str:
    """A second network, with a way out too."""
    return owner.network("10.77.11.0/24", routed=True)


@pytest.fixture(scope="module")
def server(site: Site, owner: Tenant, web: str, other: str) -> Iterator[str]:
    """Server for attached and detached ports, with one port at first."""
    booted = owner.boot(web)
    yield booted
    owner.delete(booted)  # before its networks


def macs(site: Site, server: str) -> dict[str, str]:
    """Return the MAC addresses of a server's interfaces, by their names."""
    script = 'for i in /sys/class/net/eth*; do echo "${i##*/} $(cat $i/address)"; done'
    lines = site.run(server, "sh", "-c", script).splitlines()
    return {name: mac for name, _, mac in (line.partition(" ") for line in lines)}


def default_route(site: Site, server: str) -> str:
    """Return the interface of a server's default route."""
    lines = site.run(server, "ip", "route").splitlines()
    (route,) = [line for line in lines if line.startswith("default ")]
    return route.split(" dev ")[1].split()[0]


def attach(site: Site, server: str, network: str, **values: Any) -> Any:
    """Give a server a port on a network and return the port when it is up."""
    net = site.demo.network.find_network(network)
    attached = site.demo.compute.create_server_interface(server, net_id=net.id, **values)
    return site.demo.network.get_port(attached.port_id)


def detach(site: Site, server: str, port: str) -> None:
    """Take a port from a server and wait until Nova knows it no more."""
    site.demo.compute.delete_server_interface(port, server=server)
    until(lambda: port not in {each.id for each in site.ports(server)}, "the port to go")


def test_a_port_comes_to_a_running_server_and_goes(site: Site, server: str, other: str) -> None:
    """An attached port has MAC and address at once and after a reboot; detached, it is gone."""
    (first,) = site.ports(server)
    second = attach(site, server, other)
    assert macs(site, server) == {"eth0": first.mac_address, "eth1": second.mac_address}
    address = second.fixed_ips[0]["ip_address"]
    assert address in site.run(server, "ip", "address", "show", "dev", "eth1")
    assert default_route(site, server) == "eth0"
    until(lambda: site.demo.network.get_port(second.id).status == "ACTIVE", "the port to be up")
    started = site.container(server)["State"]["StartedAt"]
    site.demo.compute.reboot_server(server, "HARD")
    until(lambda: site.container(server)["State"]["StartedAt"] != started, "a new process")
    site.wait(server, "ACTIVE")
    assert macs(site, server) == {"eth0": first.mac_address, "eth1": second.mac_address}
    detach(site, server, second.id)
    assert macs(site, server) == {"eth0": first.mac_address}


def test_a_server_that_loses_its_first_port_goes_out_by_its_second(
    site: Site, server: str, other: str
) -> None:
    """Default route, address in hosts and ways out are the remaining port's."""
    (first,) = site.ports(server)
    second = attach(site, server, other)
    detach(site, server, first.id)
    assert macs(site, server) == {"eth1": second.mac_address}
    assert default_route(site, server) == "eth1"
    assert second.fixed_ips[0]["ip_address"] in site.run(server, "cat", "/etc/hosts")
    third = attach(site, server, "private")
    assert macs(site, server) == {"eth0": third.mac_address, "eth1": second.mac_address}
    assert default_route(site, server) == "eth1"


def test_ports_come_to_a_server_that_does_not_run(site: Site, server: str, other: str) -> None:
    """A paused server has new ports at once, a stopped server at its start, in order."""
    before = site.ports(server)
    site.demo.compute.pause_server(server)
    site.wait(server, "PAUSED")
    added = attach(site, server, other)
    site.demo.compute.unpause_server(server)
    site.wait(server, "ACTIVE")
    assert added.mac_address in macs(site, server).values()
    site.demo.compute.stop_server(server)
    site.wait(server, "SHUTOFF")
    detach(site, server, before[0].id)
    site.demo.compute.start_server(server)
    site.wait(server, "ACTIVE")
    left = {port.mac_address for port in (*before[1:], added)}
    assert set(macs(site, server).values()) == left
    assert list(macs(site, server)) == [f"eth{number}" for number in range(len(left))]
