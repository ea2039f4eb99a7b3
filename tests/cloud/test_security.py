# SPDX-License-Identifier: Apache-2.0
"""Rights of a server in the tenant's eyes, and isolation from other servers."""

import contextlib
import dataclasses
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from novadocker.policy import CAPABILITIES
from tests.support import cis
from tests.support.cloud_site import Site, Tenant, until

MORE = ("NET_ADMIN", "SYS_PTRACE")
OUTSIDE_OF_SUBNET = 250


@pytest.fixture(scope="module")
def wide_flavor(site: Site) -> Iterator[str]:
    """A flavor that grants a router's rights."""
    compute = site.admin.compute
    made = compute.create_flavor(name=f"test-{uuid.uuid4().hex[:8]}", vcpus=1, ram=64, disk=1)
    compute.create_flavor_extra_specs(made, {"docker:cap_add": ",".join(MORE)})
    yield made.name
    compute.delete_flavor(made)


@pytest.fixture(scope="module")
def wide(owner: Tenant, web: str, wide_flavor: str) -> str:
    """A server with those rights, on the network of all others."""
    return owner.boot(web, flavor=wide_flavor)


def tried(site: Site, server: str, *argv: str) -> tuple[int, str]:
    """Run a program inside a server and return exit code and output."""
    made = site.engine.exec_create(f"nova-{server}", list(argv))
    output = site.engine.exec_start(made["Id"]).decode(errors="replace")
    return site.engine.exec_inspect(made["Id"])["ExitCode"], output


@contextlib.contextmanager
def own_address(site: Site, server: str, address: str) -> Iterator[None]:
    """Let a server give itself an address."""
    site.run(server, "ip", "address", "add", f"{address}/32", "dev", "eth0")
    try:
        yield
    finally:
        site.run(server, "ip", "address", "del", f"{address}/32", "dev", "eth0")


def test_a_tenant_sees_the_rights_of_a_server(site: Site, standing: str, wide: str) -> None:
    """Rights are told as tags for lists of servers, and in words inside the server."""
    assert "docker_profile=baseline" in site.server(standing).tags
    assert not any(tag.startswith("docker_cap=") for tag in site.server(standing).tags)
    assert {f"docker_cap={name}" for name in MORE} <= {*site.server(wide).tags}
    found = site.demo.compute.servers(tags="docker_cap=NET_ADMIN")
    assert [each.id for each in found] == [wide]
    told = site.run(wide, "cat", "/dev/.novadocker/rights")
    assert "capability: NET_ADMIN (flavor docker:cap_add" in told


def test_an_administrator_sees_them_in_its_diagnostics(site: Site, wide: str) -> None:
    """Diagnostics tell the rights in words, in the form of each driver."""
    answer = site.admin.compute.get(f"/servers/{wide}/diagnostics", microversion="2.1")
    rights = answer.json()["rights"]
    assert "privileged: no (always: there is no such mode)" in rights
    assert any(each.startswith("capability: NET_ADMIN ") for each in rights)


def test_every_container_is_as_the_benchmark_wants(site: Site, standing: str, wide: str) -> None:
    """The CIS Docker Benchmark, over all that Nova has running here."""
    info, granted = site.engine.info(), frozenset({*CAPABILITIES, *MORE})
    found = site.engine.containers(filters={"label": "novadocker.instance"})
    broken = {
        each["Names"][0]: cis.broken(
            cis.Seen(site.engine.inspect_container(each["Id"]), info, granted)
        )
        for each in found
    }
    assert {f"/nova-{standing}", f"/nova-{wide}"} <= broken.keys()
    assert {name: rules for name, rules in broken.items() if rules} == {}


def test_an_image_gives_up_raw_frames(site: Site, tenant: Tenant, web_archive: Path) -> None:
    """A server whose image drops NET_RAW sends no frame of its own making."""
    server = tenant.boot(tenant.upload(web_archive, docker_cap_drop="NET_RAW"))
    code, output = tried(site, server, "arping", "-c", "1", "-I", "eth0", "192.0.2.1")
    assert code != 0
    assert "Operation not permitted" in output


def test_a_server_cannot_take_anothers_address(
    site: Site, tenant: Tenant, web: str, standing: str, wide: str
) -> None:
    """A false ARP does not arrive, whatever its sender may send: the neighbour is not deceived."""
    deceived, address = tenant.boot(web), site.fixed_address(standing)
    (port,) = site.ports(standing)
    until(lambda: site.reaches(deceived, address), "the server to answer")
    with own_address(site, wide, address):
        arping = ("arping", "-U", "-c", "3", "-I", "eth0", "-s", address)
        assert "Sent 3 probe" in site.run(wide, *arping, site.fixed_address(deceived))
    (entry,) = [
        line.split()
        for line in site.run(deceived, "cat", "/proc/net/arp").splitlines()
        if line.split()[0] == address
    ]
    assert entry[3] == port.mac_address
    assert site.reaches(deceived, address)


def test_a_server_has_no_address_but_its_own(site: Site, wide: str) -> None:
    """A second address on a server's interface reaches nobody."""
    (port,) = site.ports(wide)
    own = port.fixed_ips[0]["ip_address"]
    subnet = site.demo.network.get_subnet(port.fixed_ips[0]["subnet_id"])
    other = re.sub(r"\d+$", str(OUTSIDE_OF_SUBNET), own)
    ping = ("ping", "-c", "2", "-W", "2", "-q")
    assert tried(site, wide, *ping, subnet.gateway_ip)[0] == 0
    with own_address(site, wide, other):
        assert tried(site, wide, *ping, "-I", other, subnet.gateway_ip)[0] == 1


def test_a_server_has_no_mac_but_its_own(site: Site, wide: str) -> None:
    """A frame with a foreign MAC is dropped."""
    (port,) = site.ports(wide)
    gateway = site.demo.network.get_subnet(port.fixed_ips[0]["subnet_id"]).gateway_ip
    ping = f"ping -c 2 -W 2 -q {gateway}"

    def with_mac(mac: str) -> str:
        return (
            f"ip link set eth0 down; ip link set eth0 address {mac}; ip link set eth0 up; "
            f"ip route replace default via {gateway}; "
        )

    script = with_mac("fa:16:3e:ff:ff:fe") + f"{ping}; echo ended $?; " + with_mac(port.mac_address)
    assert "ended 1" in site.run(wide, "sh", "-c", script)
    until(lambda: tried(site, wide, "sh", "-c", ping)[0] == 0, "its own to be heard again")


def test_the_clouds_services_are_out_of_reach(site: Site, standing: str) -> None:
    """Neither by its own loopback nor by the host's side of the public network."""
    public = site.demo.network.find_network("public")
    (subnet,) = [site.admin.network.get_subnet(each) for each in public.subnet_ids]
    ports = " ".join(str(number) for number in dataclasses.astuple(site.layout.ports))
    # "-z" is not in every nc: one that connects stays until it is ended, and says nothing.
    call = "timeout 3 nc -w 1 {1} $port < /dev/null 2>&1"
    script = f"for port in {{0}}; do {call} | grep -q nc: || echo open $port; done; echo tried"
    for address in ("127.0.0.1", subnet.gateway_ip):
        _, output = tried(site, standing, "sh", "-c", script.format(ports, address))
        assert output.split() == ["tried"]
