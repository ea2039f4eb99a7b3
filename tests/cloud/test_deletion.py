# SPDX-License-Identifier: Apache-2.0
"""Servers are deleted in any state and with any remains; nothing stays."""

from collections.abc import Iterator

import pytest
from openstack.exceptions import ConflictException, NotFoundException

from tests.support.cloud_site import (
    Site,
    Tenant,
    page,
    until,
)

# Longer than any test: what is deleted softly stays until somebody forces it.
RECLAIM = "reclaim_instance_interval = 3600"


@pytest.fixture
def server(tenant: Tenant, web: str) -> str:
    """A web server of the test's own."""
    return tenant.boot(web)


@pytest.fixture
def patient(site: Site) -> Iterator[None]:
    """An API that deletes softly, as an operator may want it."""
    with site.configured("nova-api", RECLAIM, conf="nova"):
        yield


def lock(site: Site, server: str, *, locked: bool) -> None:
    """Lock or unlock a server."""
    compute = site.demo.compute
    (compute.lock_server if locked else compute.unlock_server)(server)
    until(lambda: bool(site.server(server).is_locked) is locked, "the lock")


def test_a_locked_server_is_left_alone(site: Site, tenant: Tenant, server: str) -> None:
    """A locked server is neither stopped nor deleted; unlocked, also a paused server goes."""
    lock(site, server, locked=True)
    for call in (site.demo.compute.stop_server, site.demo.compute.delete_server):
        with pytest.raises(ConflictException):
            call(server)
    assert site.container(server)["State"]["Running"]
    lock(site, server, locked=False)
    site.demo.compute.pause_server(server)
    site.wait(server, "PAUSED")
    tenant.delete(server)


def test_a_server_can_be_deleted_twice_and_in_the_middle_of_its_build(
    site: Site, tenant: Tenant, web: str
) -> None:
    """A server is deleted during the build, and twice; the second call is no fault."""
    early, later = tenant.request(web), tenant.request(web)
    site.demo.compute.delete_server(early)
    until(lambda: site.server(later).task_state == "spawning", "the build to begin")
    site.demo.compute.delete_server(later)
    for each in (early, later):
        tenant.delete(each)
        with pytest.raises(NotFoundException):
            site.demo.compute.delete_server(each, ignore_missing=False)


def test_a_server_whose_container_was_lost_can_be_deleted(
    site: Site, tenant: Tenant, server: str
) -> None:
    """A lost server is in ERROR with the reason as a fault; a deletion takes ports and files."""
    site.engine.remove_container(f"nova-{server}", force=True, v=True)
    until(lambda: site.server(server).status == "ERROR", "the loss to be told")
    assert "container was removed from its host" in site.fault(server)
    tenant.delete(server)


def test_a_server_that_was_deleted_softly_can_be_restored(
    site: Site, tenant: Tenant, server: str, patient: None
) -> None:
    """A soft-deleted server is stopped; restored with network and files; gone by force."""
    address = site.give_address(server)
    site.run(server, "sh", "-c", "echo kept > /root/file")
    site.demo.compute.delete_server(server)
    until(lambda: not site.container(server)["State"]["Running"], "the server to be stopped")
    until(lambda: site.server(server).status == "SOFT_DELETED", "the soft deletion")
    site.demo.compute.restore_server(server)
    site.wait(server, "ACTIVE")
    page(address)
    assert site.run(server, "cat", "/root/file") == "kept\n"
    site.demo.compute.delete_server(server, force=True)
    tenant.delete(server)
