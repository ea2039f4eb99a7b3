# SPDX-License-Identifier: Apache-2.0
"""Servers on Contrail's networks: ``novadocker-cloud up --network contrail``."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from novadocker.cloud.settings import CONTRAIL
from novadocker.cloud.underlay import opensdn
from tests.cloud_site import Site, Tenant, until
from tests.opensdn.control import ControlNode

CIDR = "10.66.0.0/24"


@pytest.fixture(autouse=True)
def _contrail(site: Site) -> None:
    if site.layout.settings.network != CONTRAIL:
        pytest.skip(f"this cloud's network is {site.layout.settings.network}")


@pytest.fixture(scope="module")
def control(site: Site) -> ControlNode:
    """What the agents know of networks."""
    return ControlNode(opensdn.networks_directory(site.layout))


@pytest.fixture(scope="module")
def red(owner: Tenant) -> str:
    """A network."""
    return owner.network(CIDR, routed=False)


@pytest.fixture(scope="module")
def blue(owner: Tenant) -> str:
    """Another one with the same subnet."""
    return owner.network(CIDR, routed=False)


@pytest.fixture(scope="module")
def boot(site: Site, owner: Tenant, web: str) -> Iterator[Callable[..., str]]:
    """How to boot a server with an address of its own choice on a network."""
    made: list[str] = []

    def make(network: str, address: str) -> str:
        net = site.demo.network.find_network(network)
        port = site.demo.network.create_port(
            network_id=net.id, fixed_ips=[{"ip_address": address}], name=f"{network}-{address}"
        )
        server = site.demo.compute.create_server(
            name=f"at-{address.replace('.', '-')}",
            image_id=web,
            flavor_id=site.demo.compute.find_flavor("c1.nano").id,
            networks=[{"port": port.id}],
        )
        owner.servers.append(server.id)
        made.append(port.id)
        site.wait(server.id, "ACTIVE")
        return str(server.id)

    yield make
    for server in list(owner.servers):
        site.demo.compute.delete_server(server)
        site.demo.compute.wait_for_delete(site.demo.compute.get_server(server))
        owner.servers.remove(server)
    for port in made:
        site.demo.network.delete_port(port)


def page(site: Site, server: str, address: str) -> str:
    """Return the page that a server gets from another one."""
    get = ("timeout", "3", "wget", "-q", "-O", "-", f"http://{address}/")
    made = site.engine.exec_create(f"nova-{server}", list(get))
    return str(site.engine.exec_start(made["Id"]).decode())


def network_of(site: Site, name: str) -> str:
    """Return a network's id."""
    return str(site.demo.network.find_network(name).id)


def test_servers_of_two_networks_with_one_subnet(
    site: Site, boot: Callable[..., str], red: str, blue: str, control: ControlNode
) -> None:
    """Ports are bound as Contrail binds them; each server meets its own network's alone."""
    servers = {(net, n): boot(net, f"10.66.0.{n}") for net in (red, blue) for n in (5, 6)}
    (port,) = site.admin.network.ports(device_id=servers[red, 5])
    assert port.binding_vif_type == "vrouter"
    for network in (red, blue):
        found = until(lambda net=network: page(site, servers[net, 5], "10.66.0.6"), "its page")
        hostname = site.run(servers[network, 6], "hostname").strip()
        assert hostname in found
    assert said(site, port.id)["vn-id"] == network_of(site, red)
    site.demo.compute.delete_server(servers[red, 6])
    gone = site.demo.compute.get_server(servers[red, 6])
    site.demo.compute.wait_for_delete(gone)
    assert not page(site, servers[red, 5], "10.66.0.6")
    assert page(site, servers[blue, 5], "10.66.0.6")


def said(site: Site, port: str) -> Any:
    """Return what the agent has in a port's file."""
    return json.loads((opensdn.ports_directory(site.host) / port).read_text())


def test_a_server_is_back_after_restarts(site: Site, boot: Callable[..., str], red: str) -> None:
    """Of the server, of the agent, of nova-compute: each time it is reached as before."""
    watcher, server = boot(red, "10.66.0.15"), boot(red, "10.66.0.16")
    until(lambda: page(site, watcher, "10.66.0.16"), "its page")
    site.demo.compute.reboot_server(server, "HARD")
    site.wait(server, "ACTIVE")
    until(lambda: page(site, watcher, "10.66.0.16"), "its page after a reboot")
    for service in ("vrouter-agent", "nova-compute"):
        site.restart(service)
        until(lambda: page(site, watcher, "10.66.0.16"), f"its page after a restart of {service}")
    until(lambda: page(site, server, "10.66.0.15"), "the other way")
