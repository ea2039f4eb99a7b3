# SPDX-License-Identifier: Apache-2.0
"""Processors of a hybrid host, divided among servers that share and pinned ones."""

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hybrid.conftest import PATIENCE, inventory, usage
from tests.support.cloud_site import Site, Tenant, until

SHARED, DEDICATED = "0", "1"


@pytest.fixture(scope="module")
def divided(site: Site) -> Iterator[None]:
    """A nova-compute that shares one processor and dedicates another."""
    sets = f"cpu_shared_set = {SHARED}\ncpu_dedicated_set = {DEDICATED}"
    with site.configured("nova-compute", "", compute=sets):
        until(lambda: inventory(site).get("PCPU") == 1, "the inventory to be divided", PATIENCE)
        yield


@pytest.fixture(scope="module")
def pinning(site: Site) -> Iterator[str]:
    """The name of a flavor for pinned servers."""
    compute, name = site.admin.compute, f"pinned-{uuid.uuid4().hex[:8]}"
    flavor = compute.create_flavor(name=name, ram=64, vcpus=1, disk=1)
    try:
        compute.create_flavor_extra_specs(flavor, {"hw:cpu_policy": "dedicated"})
        yield name
    finally:
        compute.delete_flavor(flavor)


def allowed(site: Site, server: str) -> str:
    """Return the processors on which the kernel lets a server's first process run."""
    pid = site.container(server)["State"]["Pid"]
    status = Path(f"/proc/{pid}/status").read_text()
    return status.partition("Cpus_allowed_list:")[2].split()[0]


def test_a_host_without_dedicated_processors_takes_no_pinned_server(
    site: Site, tenant: Tenant, web: str, pinning: str
) -> None:
    """The server is refused by name, though Nova's fallback for old hosts would pin a machine."""
    assert "PCPU" not in inventory(site)
    server = tenant.boot(web, "ERROR", flavor=pinning)
    assert "no processors to dedicate" in site.fault(server)


@pytest.mark.usefixtures("divided")
def test_a_container_keeps_off_dedicated_processors(site: Site, tenant: Tenant, web: str) -> None:
    """An ordinary server takes a shared processor in Placement, and runs there alone."""
    server = tenant.boot(web)
    assert allowed(site, server) == SHARED
    assert usage(site)["VCPU"] == 1
    assert usage(site).get("PCPU", 0) == 0


@pytest.mark.usefixtures("divided")
def test_a_pinned_container_has_a_processor_that_no_other_server_gets(
    site: Site, tenant: Tenant, web: str, pinning: str
) -> None:
    """Nova's choice holds in the kernel; a second server finds no host, and then has its turn."""
    server = tenant.boot(web, flavor=pinning)
    assert allowed(site, server) == DEDICATED
    assert usage(site)["PCPU"] == 1
    second = tenant.boot(web, "ERROR", flavor=pinning)
    # Nova's fallback for old hosts asks for shared processors, and the claim finds no room.
    assert re.search("NUMA topology cannot fit|No valid host|retries", site.fault(second))
    tenant.delete(second)
    tenant.delete(server)
    third = tenant.boot(web, flavor=pinning)
    assert allowed(site, third) == DEDICATED


@pytest.mark.usefixtures("divided")
def test_a_resize_takes_and_gives_back_a_dedicated_processor(
    site: Site, tenant: Tenant, web: str, pinning: str
) -> None:
    """A container moves to its own processor, and a revert brings it back to the shared one."""
    server, compute = tenant.boot(web), site.demo.compute
    compute.resize_server(server, compute.find_flavor(pinning).id)
    site.wait(server, "VERIFY_RESIZE", PATIENCE)
    assert allowed(site, server) == DEDICATED
    compute.revert_server_resize(server)
    site.wait(server, "ACTIVE", PATIENCE)
    assert allowed(site, server) == SHARED
