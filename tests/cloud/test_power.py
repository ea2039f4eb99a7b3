# SPDX-License-Identifier: Apache-2.0
"""Stopped, started, paused and ended: state and network follow."""

import socket
import time
from pathlib import Path

import pytest

from tests.support.cloud_site import (
    Site,
    Tenant,
    page,
    until,
)

# Until Nova has told what its driver saw.
SECONDS_TO_SHUTOFF = 2
# For what asks the API once in a while, and a machine that is busy with other tests.
SLACK = 2


@pytest.fixture
def server(site: Site, tenant: Tenant, web: str) -> str:
    """A web server of the test's own."""
    return tenant.boot(web)


def identity(site: Site, server: str) -> tuple[str, ...]:
    """Return addresses and MACs, as Neutron has them and as the server sees them."""
    ports = site.ports(server)
    inside = site.run(server, "ip", "-o", "address", "show", "dev", "eth0")
    link = site.run(server, "cat", "/sys/class/net/eth0/address", "/sys/class/net/eth0/mtu")
    seen = [word for word in inside.split() if word.count(".") == 3]
    return (ports[0].mac_address, ports[0].fixed_ips[0]["ip_address"], *seen, *link.split())


def test_stop_and_start_keep_files_and_network(site: Site, server: str) -> None:
    """A stopped server is SHUTOFF and silent; started again it has its files and addresses."""
    address, before = site.give_address(server), identity(site, server)
    page(address)
    site.run(server, "sh", "-c", "echo kept > /root/file")
    site.demo.compute.stop_server(server)
    site.wait(server, "SHUTOFF")
    assert not site.container(server)["State"]["Running"]
    site.demo.compute.start_server(server)
    site.wait(server, "ACTIVE")
    page(address)
    assert identity(site, server) == before
    assert site.run(server, "cat", "/root/file") == "kept\n"


@pytest.mark.parametrize("kind", ["SOFT", "HARD"])
def test_a_reboot_keeps_the_network(site: Site, server: str, kind: str) -> None:
    """A rebooted server has a new process and the same addresses."""
    address, before = site.give_address(server), identity(site, server)
    started = site.container(server)["State"]["StartedAt"]
    site.demo.compute.reboot_server(server, kind)
    until(lambda: site.container(server)["State"]["StartedAt"] != started, "a new process")
    site.wait(server, "ACTIVE")
    page(address)
    assert identity(site, server) == before


def test_a_paused_server_stands_still(site: Site, server: str) -> None:
    """A paused server is PAUSED and silent; unpaused it goes on as the same process."""
    address, pid = site.give_address(server), site.container(server)["State"]["Pid"]
    page(address)
    site.demo.compute.pause_server(server)
    site.wait(server, "PAUSED")
    assert site.container(server)["State"]["Paused"]
    with pytest.raises(OSError, match="timed out"):  # its kernel would answer for it
        socket.create_connection((address, 80), timeout=2)
    site.demo.compute.unpause_server(server)
    site.wait(server, "ACTIVE")
    page(address)
    assert site.container(server)["State"]["Pid"] == pid


def test_a_server_whose_process_ends_is_shut_off_soon(site: Site, server: str) -> None:
    """A process's end makes the server SHUTOFF within 2 s; the console log has the code."""
    site.engine.kill(f"nova-{server}", "KILL")
    ended = time.monotonic()
    site.wait(server, "SHUTOFF", patience=SECONDS_TO_SHUTOFF + SLACK)
    assert time.monotonic() - ended < SECONDS_TO_SHUTOFF + SLACK
    assert "ended with exit code 137" in site.console(server)


def test_a_server_that_ended_by_itself_starts_again(site: Site, server: str) -> None:
    """A server after its process's end starts again, with the network."""
    address = site.give_address(server)
    site.engine.kill(f"nova-{server}", "TERM")
    site.wait(server, "SHUTOFF")
    site.demo.compute.start_server(server)
    site.wait(server, "ACTIVE")
    page(address)


def test_a_command_that_does_not_exist_ends_with_127(
    site: Site, tenant: Tenant, web_archive: Path
) -> None:
    """A server whose command is not in its image is SHUTOFF, not ERROR, and says why."""
    image = tenant.upload(web_archive, os_command_line="/no/such/program")
    server = tenant.request(image)
    site.wait(server, "SHUTOFF")
    log = site.console(server)
    assert "exit code 127" in log
    assert "/no/such/program" in log


def test_a_command_that_ends_at_once_is_shut_off(
    site: Site, tenant: Tenant, web_archive: Path
) -> None:
    """A server whose process ends at once is SHUTOFF; output and code are in the console log."""
    image = tenant.upload(web_archive, os_command_line="sh -c 'echo so be it; exit 3'")
    server = tenant.request(image)
    site.wait(server, "SHUTOFF")
    log = site.console(server)
    assert "so be it" in log
    assert "exit code 3" in log


def test_a_deleted_server_that_was_stopped_leaves_nothing(
    site: Site, tenant: Tenant, server: str
) -> None:
    """A stopped server can be deleted like any other."""
    site.demo.compute.stop_server(server)
    site.wait(server, "SHUTOFF")
    tenant.delete(server)
