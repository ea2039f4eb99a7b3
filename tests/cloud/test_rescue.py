# SPDX-License-Identifier: Apache-2.0
"""Rescue and return of a server: state, network and files in the tenant's eyes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openstack.exceptions import ConflictException

from tests.support.cloud_site import (
    Site,
    Tenant,
    page,
    until,
)


@pytest.fixture(scope="module")
def server(owner: Tenant, web: str) -> str:
    """A web server, ACTIVE before and after each test but the last."""
    return owner.boot(web)


@pytest.fixture(scope="module")
def address(site: Site, server: str) -> str:
    """Floating address of the server."""
    return site.give_address(server)


def rescue(site: Site, server: str, image: str | None = None) -> None:
    """Rescue a server and wait until it is."""
    site.demo.compute.rescue_server(server, image_ref=image)
    site.wait(server, "RESCUE")


def in_stand_in(site: Site, server: str, script: str) -> str:
    """Run a script in the container that stands in for a server."""
    made = site.engine.exec_create(f"nova-{server}-rescue", ["sh", "-c", script])
    output = site.engine.exec_start(made["Id"]).decode()
    assert site.engine.exec_inspect(made["Id"])["ExitCode"] == 0, output
    return str(output)


def refused(call: Callable[..., Any], *arguments: Any) -> bool:
    """Return whether Nova refuses a call for the state that a server is in."""
    with pytest.raises(ConflictException):
        call(*arguments)
    return True


def test_a_rescue_loses_nothing(
    site: Site, owner: Tenant, web_archive: Path, server: str, address: str
) -> None:
    """The rescue image runs on the server's addresses; mended files stay afterwards."""
    ports = site.ports(server)
    site.run(server, "sh", "-c", "echo mine > /root/file; echo broken > /www/cgi-bin/index.cgi")
    rescuer = owner.upload(web_archive, os_command_line="sh -c 'echo the rescuer; exec serve'")
    rescue(site, server, rescuer)
    assert "Hello from" in page(address)
    assert "the rescuer" in site.console(server)
    assert in_stand_in(site, server, "cat /rescue/root/file") == "mine\n"
    link = in_stand_in(site, server, "cat /sys/class/net/eth0/address").strip()
    assert link == ports[0].mac_address
    in_stand_in(site, server, "cp /www/cgi-bin/index.cgi /rescue/www/cgi-bin/index.cgi")
    site.demo.compute.unrescue_server(server)
    site.wait(server, "ACTIVE")
    assert "Hello from" in page(address)
    assert site.run(server, "cat", "/root/file") == "mine\n"
    assert [(each.id, each.fixed_ips) for each in site.ports(server)] == [
        (each.id, each.fixed_ips) for each in ports
    ]


def test_a_rescue_that_fails_leaves_the_server_running(
    site: Site, owner: Tenant, web_archive: Path, server: str, address: str
) -> None:
    """A server with a failed rescue is in ERROR and serves on; a hard reboot makes ACTIVE."""
    bad = owner.upload(web_archive, os_command_line="sh 'unfinished")
    site.demo.compute.rescue_server(server, image_ref=bad)
    until(lambda: site.server(server).status == "ERROR", "the rescue to fail")
    assert "os_command_line" in site.fault(server)
    page(address)
    site.demo.compute.reboot_server(server, "HARD")
    until(lambda: site.server(server).status == "ACTIVE", "the server to be ACTIVE")
    page(address)


def test_a_rescued_server_stays_so(site: Site, owner: Tenant, server: str, address: str) -> None:
    """A rescued server refuses actions forbidden by Nova, outlives nova-compute, and is deleted."""
    compute = site.demo.compute
    compute.stop_server(server)
    site.wait(server, "SHUTOFF")
    rescue(site, server)  # a stopped one too, and by its own image
    page(address)
    assert refused(compute.pause_server, server)
    assert refused(compute.reboot_server, server, "HARD")
    site.stop("nova-compute")
    site.start("nova-compute")
    page(address)
    assert "/rescue" in in_stand_in(site, server, "cat /proc/mounts")
    assert site.server(server).status == "RESCUE"
    owner.delete(server)
