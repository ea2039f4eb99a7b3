# SPDX-License-Identifier: Apache-2.0
"""Another flavor for the same container: its limits change, its files and addresses stay."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.cloud_site import Site, Tenant

MIB = 1024**2
FILE = "/root/file"


@pytest.fixture(scope="module")
def server(site: Site, web: str) -> Iterator[str]:
    """A server that is resized by one test after the other, and is ACTIVE in between."""
    made = Tenant(site)
    try:
        booted = made.boot(web, flavor="c1.nano")
        site.run(booted, "sh", "-c", f"echo kept > {FILE}")
        yield booted
    finally:
        made.leave()


def memory(site: Site, server: str) -> int:
    """Return the MiB of memory that the engine gives a server."""
    return int(site.container(server)["HostConfig"]["Memory"]) // MIB


def allocated(site: Site, server: str) -> dict[str, int]:
    """Return what Placement holds for a server."""
    answer = site.admin.placement.get(f"/allocations/{server}").json()
    (held,) = answer["allocations"].values()
    return dict(held["resources"])


def resize(site: Site, server: str, flavor: str) -> None:
    """Ask for another flavor and wait until it is there to be tried."""
    site.demo.compute.resize_server(server, site.demo.compute.find_flavor(flavor).id)
    site.wait(server, "VERIFY_RESIZE")


@contextmanager
def same_container(site: Site, server: str) -> Iterator[None]:
    """See that container, addresses and files come through what is done."""
    container, (port,) = site.container(server)["Id"], site.ports(server)
    yield
    assert site.container(server)["Id"] == container
    (now,) = site.ports(server)
    assert (now.id, now.mac_address, now.fixed_ips) == (port.id, port.mac_address, port.fixed_ips)


def test_a_resized_server_has_the_new_flavors_limits(site: Site, server: str) -> None:
    """A resized and confirmed server is the same container, with files and network."""
    with same_container(site, server):
        resize(site, server, "c1.tiny")
        assert memory(site, server) == 128
        site.demo.compute.confirm_server_resize(server)
        site.wait(server, "ACTIVE")
    assert site.run(server, "cat", FILE) == "kept\n"
    assert site.fixed_address(server) in site.run(server, "ip", "address", "show", "dev", "eth0")
    assert allocated(site, server) == {"VCPU": 1, "MEMORY_MB": 128, "DISK_GB": 2}


def test_a_reverted_server_has_the_old_flavors_limits(site: Site, server: str) -> None:
    """Files written before the confirmation stay too."""
    before = site.server(server).flavor
    with same_container(site, server):
        resize(site, server, "c1.medium")
        assert memory(site, server) == 1024
        assert site.container(server)["HostConfig"]["NanoCpus"] == 2 * 10**9
        site.run(server, "sh", "-c", f"echo and this >> {FILE}")
        site.demo.compute.revert_server_resize(server)
        site.wait(server, "ACTIVE")
    assert memory(site, server) == before["ram"]
    assert site.run(server, "cat", FILE) == "kept\nand this\n"
    assert site.fixed_address(server) in site.run(server, "ip", "address", "show", "dev", "eth0")
    assert allocated(site, server)["MEMORY_MB"] == before["ram"]


def test_a_stopped_server_is_resized_without_being_started(site: Site, server: str) -> None:
    """A stopped server stays stopped through a resize, and starts with the new limits."""
    site.demo.compute.stop_server(server)
    site.wait(server, "SHUTOFF")
    resize(site, server, "c1.nano")
    assert not site.container(server)["State"]["Running"]
    site.demo.compute.confirm_server_resize(server)
    site.wait(server, "SHUTOFF")
    site.demo.compute.start_server(server)
    site.wait(server, "ACTIVE")
    assert memory(site, server) == 64
    assert site.run(server, "cat", FILE) == "kept\nand this\n"
