# SPDX-License-Identifier: Apache-2.0
"""Networks of running servers after restarts of the carriers and losses of parts."""

import subprocess
from collections.abc import Callable, Iterator

import pytest

from novadocker.cloud.layout.settings import CONTRAIL, OVN, OVS
from tests.support.cloud_site import Site, Tenant, until

SWITCH = ("ovsdb", "vswitchd")
CARRIERS = {
    OVN: (*SWITCH, "ovn-controller", "ovn-northd"),
    OVS: (*SWITCH, "neutron-openvswitch"),
    CONTRAIL: ("vrouter-agent",),
}


@pytest.fixture(scope="module")
def pair(site: Site, owner: Tenant, web: str) -> Iterator[tuple[str, str]]:
    """Two servers in reach of each other."""
    network = owner.network("10.80.0.0/24", routed=False)
    one, other = (owner.request(web, networks=(network,)) for _ in range(2))
    for server in (one, other):
        site.wait(server, "ACTIVE")
    until(lambda: meet(site, one, other), "two servers to meet")
    yield one, other
    for server in (one, other):
        owner.delete(server)


@pytest.fixture(scope="module")
def frequent(site: Site) -> Iterator[None]:
    """Frequent audits, with Nova's periodic task."""
    options = "update_resources_interval = 3"
    with site.configured("nova-compute", options, docker="network_audit_interval = 3"):
        yield


def meet(site: Site, one: str, other: str) -> bool:
    """Say whether each of two servers reaches the other."""
    return all(site.reaches(a, address(site, b)) for a, b in ((one, other), (other, one)))


def address(site: Site, server: str) -> str:
    """Return a server's only address."""
    (port,) = site.ports(server)
    return str(port.fixed_ips[0]["ip_address"])


def test_servers_meet_when_their_carriers_have_started_again(
    site: Site, pair: tuple[str, str]
) -> None:
    """Broken parts are repaired one after another, without help."""
    for service in CARRIERS[site.layout.settings.network]:
        site.restart(service)
        until(lambda: meet(site, *pair), f"the servers to meet after a restart of {service}")


def inside(site: Site, server: str, *words: str) -> None:
    """Run a program of the host in a server's network namespace."""
    pid = site.container(server)["State"]["Pid"]
    subprocess.run(("nsenter", f"--net=/proc/{pid}/ns/net", *words), check=True)


def host_end(site: Site, server: str) -> str:
    """Name the end of a server's port on the host."""
    (port,) = site.ports(server)
    return f"tap{port.id}"[:14]


def without_address(site: Site, server: str) -> None:
    """Take the address away together with the routes."""
    inside(site, server, "ip", "address", "flush", "dev", "eth0", "scope", "global")


def without_host_end(site: Site, server: str) -> None:
    """Take the host end away together with the interface."""
    subprocess.run(("ip", "link", "delete", host_end(site, server)), check=True)


def without_its_place(site: Site, server: str) -> None:
    """Let the port's carrier forget the port."""
    switch = ("ovs-vsctl", f"--db=unix:{site.host.switch_socket}", "del-port")
    subprocess.run((*switch, host_end(site, server)), check=True)


BREAKAGES = (without_address, without_host_end, without_its_place)


@pytest.mark.usefixtures("frequent")
@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda each: each.__name__)
def test_what_is_lost_is_made_again_by_the_audit(
    site: Site, pair: tuple[str, str], breakage: Callable[[Site, str], None]
) -> None:
    """Along with Nova's periodic tasks, and told in the log."""
    if breakage is without_its_place and site.layout.settings.network == CONTRAIL:
        pytest.skip("the agent is told again by a restart of its own, or of nova-compute")
    one, other = pair
    words = f"Repaired the network of server {other}"
    told = site.log("nova-compute").count(words)
    breakage(site, other)
    # How long the two are apart is the audit's to say; that it found something wrong is in the log.
    until(lambda: site.log("nova-compute").count(words) > told, "the audit to repair it")
    until(lambda: meet(site, one, other), "the servers to meet again")
