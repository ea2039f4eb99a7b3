# SPDX-License-Identifier: Apache-2.0
"""Names and metadata, asked for by servers over the network."""

import json
from collections.abc import Iterator

import pytest

from novadocker.cloud.layout.settings import CONTRAIL, OVS
from tests.support.cloud_fixtures import additions
from tests.support.cloud_site import Site, Tenant, until

METADATA = "http://169.254.169.254/openstack/latest/meta_data.json"


@pytest.fixture(scope="module", autouse=True)
def _neutrons_own(site: Site) -> None:
    if site.layout.settings.network == CONTRAIL:
        pytest.skip(f"this cloud's network is {site.layout.settings.network}")


@pytest.fixture
def names(site: Site) -> Iterator[None]:
    """Cloud with names for servers, restored afterwards."""
    with additions(site, "dns"):
        yield


@pytest.mark.usefixtures("names")
def test_servers_find_each_other_by_name(site: Site, tenant: Tenant, web: str) -> None:
    """A server is found by name, alone and with the cloud's domain, until deleted."""
    network = tenant.network("10.77.0.0/24", routed=True)
    one = tenant.boot(web, networks=(network,), name="seeker")
    other = tenant.boot(web, networks=(network,), name="sought")
    address = site.fixed_address(other, network)

    def finds(name: str) -> bool:
        return address in resolved(site, one, name)

    for name in ("sought", "sought.novalocal"):
        until(lambda name=name: finds(name), f"{name} to be found")
    page = site.run(one, "timeout", "40", "wget", "-q", "-O", "-", "http://sought/")
    assert "Hello from sought" in page
    assert not finds("nobody")
    tenant.delete(other)
    until(lambda: not finds("sought"), "the name to go")


def resolved(site: Site, server: str, name: str) -> str:
    """Return a server's answer for a name.

    OVN's switch answers for IPv4; who is asked for an IPv6 address is not there.
    """
    words = ("timeout", "12", "nslookup", name)
    made = site.engine.exec_create(f"nova-{server}", list(words))
    return str(site.engine.exec_start(made["Id"]).decode())


def test_metadata_answers_on_a_network_without_a_router(
    site: Site, tenant: Tenant, web: str
) -> None:
    """Metadata are reached by the route of a DHCP client."""
    network = tenant.network("10.78.0.0/24", routed=False)
    if site.layout.settings.network == OVS:  # its agent is there for the first server already
        net = site.demo.network.find_network(network)
        owner = {"network_id": net.id, "device_owner": "network:dhcp"}
        until(lambda: list(site.admin.network.ports(**owner)), "the network's DHCP server")
    server = tenant.boot(web, networks=(network,))
    words = ("timeout", "5", "wget", "-q", "-O", "-", METADATA)
    made = until(lambda: _metadata(site, server, words), "the metadata")
    assert json.loads(made)["uuid"] == server


def _metadata(site: Site, server: str, words: tuple[str, ...]) -> str:
    made = site.engine.exec_create(f"nova-{server}", list(words))
    output = str(site.engine.exec_start(made["Id"]).decode())
    return output if output.startswith("{") else ""
