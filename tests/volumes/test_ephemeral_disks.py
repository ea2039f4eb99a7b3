# SPDX-License-Identifier: Apache-2.0
"""Ephemeral disks of a flavor, as a tenant has them."""

import uuid
from collections.abc import Iterator

import pytest

from novadocker.cloud.storage import loops
from tests.support.cloud_site import Site, Tenant
from tests.volumes.conftest import GIB

FILE = "/ephemeral0/file"


@pytest.fixture
def flavor(site: Site) -> Iterator[str]:
    """A flavor with an ephemeral disk of 1 GiB."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    made = site.admin.compute.create_flavor(name=name, vcpus=1, ram=64, disk=1, ephemeral=1)
    yield name
    site.admin.compute.delete_flavor(made)


def test_an_ephemeral_disk_lives_as_long_as_its_server_is_built(
    site: Site, tenant: Tenant, web: str, flavor: str
) -> None:
    """A disk of the flavor's size outlives a reboot, is blank after a rebuild, and then goes."""
    server, compute = tenant.boot(web, flavor=flavor), site.demo.compute
    blocks, size = site.run(server, "stat", "-f", "-c", "%b %S", "/ephemeral0").split()
    assert 0.9 * GIB < int(blocks) * int(size) <= GIB
    site.run(server, "sh", "-c", f"echo kept > {FILE}; sync")
    compute.reboot_server(server, "HARD")
    site.wait(server, "ACTIVE")
    assert site.run(server, "cat", FILE) == "kept\n"
    compute.rebuild_server(server, image=web)
    site.wait(server, "ACTIVE")
    assert site.run(server, "ls", "/ephemeral0") == ""
    tenant.delete(server)
    state = site.host.nova_state / "novadocker/ephemeral"
    assert [file for file in loops.below(state) if server in str(file)] == []
    assert not (state / server).exists()
