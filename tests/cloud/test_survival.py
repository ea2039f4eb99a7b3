# SPDX-License-Identifier: Apache-2.0
"""Servers go on while the services that look after them do not."""

import os
import signal

from tests.support.cloud_site import (
    Site,
    Tenant,
    page,
    until,
)

SLEEPER = ["sleep", "600"]


def test_a_restart_of_nova_compute_changes_nothing(
    site: Site, standing: str, standing_address: str
) -> None:
    """A server runs on, and is reached, while nova-compute is stopped and started."""
    before = site.container(standing)["State"]
    site.stop("nova-compute")
    page(standing_address)
    site.start("nova-compute")
    page(standing_address)
    after = site.container(standing)["State"]
    assert (after["Pid"], after["StartedAt"]) == (before["Pid"], before["StartedAt"])
    assert site.server(standing).status == "ACTIVE"


def test_the_death_of_the_engine_changes_nothing(
    site: Site, tenant: Tenant, web: str, standing: str, standing_address: str
) -> None:
    """A server's process and network outlive an engine's restart; new servers boot."""
    before = site.container(standing)["State"]["Pid"]
    dead = site.pid("dockerd")
    os.kill(dead, signal.SIGKILL)
    page(standing_address)
    until(lambda: site.pid("dockerd") not in (0, dead), "the supervisor to start the engine")
    site.start("dockerd")
    assert site.container(standing)["State"]["Pid"] == before
    page(standing_address)
    tenant.boot(web)


def test_a_server_made_while_nova_compute_was_down_boots(
    site: Site, tenant: Tenant, web: str
) -> None:
    """A server asked for while nova-compute is restarted boots when it is back."""
    site.stop("nova-compute")
    server = tenant.request(web)
    site.start("nova-compute")
    site.wait(server, "ACTIVE")


def settled_in_error(site: Site, server: str) -> bool:
    """Return whether a server is in ERROR and nothing is being done to it."""
    now = site.server(server)
    return now.status == "ERROR" and now.task_state is None


def test_a_container_that_is_not_ours_is_left_alone(site: Site, tenant: Tenant, web: str) -> None:
    """Somebody else's container with a server's name is neither started nor removed.

    A server whose container was removed behind Nova's back is in ERROR, where a hard reboot is
    what its tenant can do.
    """
    server = tenant.boot(web)
    site.demo.compute.stop_server(server)
    site.wait(server, "SHUTOFF")
    name = f"nova-{server}"
    image = site.container(server)["Image"]
    site.engine.remove_container(name)
    until(lambda: settled_in_error(site, server), "the loss to be noticed")
    foreign = site.engine.create_container(image, command=SLEEPER, name=name)["Id"]
    try:
        site.demo.compute.reboot_server(server, "HARD")
        until(lambda: settled_in_error(site, server), "the reboot to be refused")
        site.demo.compute.delete_server(server)
        until(lambda: settled_in_error(site, server), "the removal to be refused")
        assert "was not made by this driver" in site.fault(server)
        assert site.engine.inspect_container(foreign)["State"]["Status"] == "created"
    finally:
        site.engine.remove_container(foreign)
