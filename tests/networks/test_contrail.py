# SPDX-License-Identifier: Apache-2.0
"""Servers on Contrail's networks: ``novadocker-cloud up --network contrail``."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from novadocker.cloud.doubles.opensdn.control import ControlNode
from novadocker.cloud.layout.settings import CONTRAIL
from novadocker.cloud.underlay import opensdn
from tests.support.cloud_site import (
    Site,
    Tenant,
    until,
)

CIDR = "10.66.0.0/24"


@pytest.fixture(autouse=True)
def _contrail(site: Site) -> None:
    if site.layout.settings.network != CONTRAIL:
        pytest.skip(f"this cloud's network is {site.layout.settings.network}")


@pytest.fixture(scope="module")
def red(owner: Tenant) -> str:
    """A network."""
    return owner.network(CIDR, routed=False)


@pytest.fixture(scope="module")
def blue(owner: Tenant) -> str:
    """Second network with the same subnet."""
    return owner.network(CIDR, routed=False)


@pytest.fixture(scope="module")
def boot(owner: Tenant, web: str) -> Callable[..., str]:
    """Maker of servers with a chosen address on a network."""

    def make(network: str, address: str) -> str:
        name = f"at-{address.replace('.', '-')}"
        return owner.boot(web, name=name, ports=(owner.port(network, address),))

    return make


def page(site: Site, server: str, address: str) -> str:
    """Return the page got by a server from another."""
    get = ("timeout", "3", "wget", "-q", "-O", "-", f"http://{address}/")
    made = site.engine.exec_create(f"nova-{server}", list(get))
    return str(site.engine.exec_start(made["Id"]).decode())


def network_of(site: Site, name: str) -> str:
    """Return a network's id."""
    return str(site.demo.network.find_network(name).id)


def test_servers_of_two_networks_with_one_subnet(
    site: Site, owner: Tenant, boot: Callable[..., str], red: str, blue: str
) -> None:
    """Ports are bound in Contrail's way; each server meets the own network's servers alone."""
    servers = {(net, n): boot(net, f"10.66.0.{n}") for net in (red, blue) for n in (5, 6)}
    (port,) = site.admin.network.ports(device_id=servers[red, 5])
    assert port.binding_vif_type == "vrouter"
    for network in (red, blue):
        found = until(lambda net=network: page(site, servers[net, 5], "10.66.0.6"), "its page")
        hostname = site.run(servers[network, 6], "hostname").strip()
        assert hostname in found
    assert said(site, port.id)["vn-id"] == network_of(site, red)
    owner.delete(servers[red, 6])
    assert not site.reaches(servers[red, 5], "10.66.0.6")
    assert site.reaches(servers[blue, 5], "10.66.0.6")


def said(site: Site, port: str) -> Any:
    """Return the content of a port's file."""
    return json.loads((opensdn.ports_directory(site.host) / port).read_text())


def test_a_server_is_back_after_restarts(site: Site, boot: Callable[..., str], red: str) -> None:
    """A server is reached as before after a restart of the server, the agent and nova-compute."""
    watcher, server = boot(red, "10.66.0.15"), boot(red, "10.66.0.16")
    until(lambda: site.reaches(watcher, "10.66.0.16"), "its page")
    site.demo.compute.reboot_server(server, "HARD")
    site.wait(server, "ACTIVE")
    until(lambda: site.reaches(watcher, "10.66.0.16"), "its page after a reboot")
    for service in ("vrouter-agent", "nova-compute"):
        site.restart(service)
        until(lambda: site.reaches(watcher, "10.66.0.16"), f"its page after a restart of {service}")
    until(lambda: site.reaches(server, "10.66.0.15"), "the other way")


def test_an_interface_comes_and_goes(
    site: Site, owner: Tenant, boot: Callable[..., str], red: str
) -> None:
    """A running server gets an interface in a second network's VRF, and loses the interface."""
    green = owner.network("10.67.0.0/24", routed=False)
    far, near = boot(green, "10.67.0.7"), boot(red, "10.66.0.25")
    assert not site.reaches(near, "10.67.0.7")
    port = owner.port(green, "10.67.0.8")
    attached = site.demo.compute.create_server_interface(near, port_id=port)
    until(lambda: site.reaches(near, "10.67.0.7"), "the page over the new interface")
    site.demo.compute.delete_server_interface(attached, server=near)
    announced = opensdn.ports_directory(site.host) / port
    until(lambda: not announced.exists(), "the agent to forget the port")
    assert not site.reaches(near, "10.67.0.7")
    owner.delete(far)


def test_a_policy_joins_two_networks(
    site: Site, owner: Tenant, boot: Callable[..., str], red: str
) -> None:
    """Servers of both meet while each network takes the other's routes, and no longer."""
    control = ControlNode(opensdn.networks_directory(site.layout))
    white = owner.network("10.68.0.0/24", routed=False)
    one, _ = boot(red, "10.66.0.35"), boot(white, "10.68.0.7")
    assert not site.reaches(one, "10.68.0.7")
    pair = network_of(site, red), network_of(site, white)
    control.join(*pair)
    until(lambda: site.reaches(one, "10.68.0.7"), "the page of the other network")
    control.part(*pair)
    until(lambda: not site.reaches(one, "10.68.0.7"), "the networks to be apart")
