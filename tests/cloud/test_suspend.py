# SPDX-License-Identifier: Apache-2.0
"""Suspended and resumed: a server's processes, memory and connections go on."""

import socket

import pytest

from tests.support.cloud_site import (
    Site,
    Tenant,
    page,
    until,
)

NOVA_COMPUTE = "nova-compute"
ASK = b"GET / HTTP/1.0\r\n\r\n"


@pytest.fixture
def server(site: Site, tenant: Tenant, web: str) -> str:
    """A web server of the test's own."""
    return tenant.boot(web)


def suspend(site: Site, server: str) -> None:
    """Suspend a server, and wait until it is."""
    site.demo.compute.suspend_server(server)
    site.wait(server, "SUSPENDED")


def resume(site: Site, server: str) -> None:
    """Resume a server, and wait until it runs."""
    site.demo.compute.resume_server(server)
    site.wait(server, "ACTIVE")


def test_a_connection_outlives_a_suspension(site: Site, server: str) -> None:
    """A client that connected before has its answer afterwards, from the same process."""
    address = site.give_address(server)
    page(address)
    with socket.create_connection((address, 80), timeout=30) as client:
        until(lambda: "ESTABLISHED" in site.run(server, "netstat", "-tn"), "the server's end")
        suspend(site, server)
        assert not site.container(server)["State"]["Running"]
        resume(site, server)
        client.sendall(ASK)
        assert client.makefile("rb").readline().startswith(b"HTTP/1.")
    page(address)


def test_a_suspension_outlives_nova_compute(site: Site, server: str) -> None:
    """A restart leaves the server suspended, and it is resumed with its memory files."""
    address = site.give_address(server)
    site.run(server, "sh", "-c", "echo kept > /dev/shm/memory")
    suspend(site, server)
    site.stop(NOVA_COMPUTE)
    site.start(NOVA_COMPUTE)
    assert site.server(server).status == "SUSPENDED"
    resume(site, server)
    assert site.run(server, "cat", "/dev/shm/memory") == "kept\n"
    page(address)


def test_a_hard_reboot_gives_the_memory_up(site: Site, server: str) -> None:
    """The server begins anew with its files and addresses."""
    address = site.give_address(server)
    site.run(server, "sh", "-c", "echo kept > /root/file; echo lost > /dev/shm/memory")
    suspend(site, server)
    site.demo.compute.reboot_server(server, "HARD")
    site.wait(server, "ACTIVE")
    page(address)
    assert site.run(server, "cat", "/root/file") == "kept\n"
    assert "memory" not in site.run(server, "ls", "/dev/shm")


def test_a_suspended_server_is_deleted(site: Site, tenant: Tenant, server: str) -> None:
    """Nothing of its container, its ports or its memory is left."""
    suspend(site, server)
    tenant.delete(server)
