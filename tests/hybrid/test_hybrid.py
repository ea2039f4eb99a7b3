# SPDX-License-Identifier: Apache-2.0
"""Virtual machines and containers on one host, under one unmodified nova-compute."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.hybrid.conftest import PATIENCE, Domains, killed
from tests.support.cloud_site import Site, Tenant, page, until


@pytest.fixture(scope="module")
def vm(boot_machine: Callable[..., str]) -> str:
    """A virtual machine, ACTIVE before and after each test."""
    return boot_machine(name="machine")


@pytest.fixture(scope="module")
def container(owner: Tenant, web: str) -> str:
    """A container server, ACTIVE before and after each test."""
    return owner.boot(web, name="container")


@pytest.fixture(scope="module")
def vm_address(site: Site, vm: str) -> str:
    """The floating address of the virtual machine."""
    return site.give_address(vm)


def allocation(site: Site, server: str) -> dict[str, int]:
    """Return the resources that Placement has given to a server."""
    found = placement(site, f"/allocations/{server}")["allocations"]
    return {name: amount for each in found.values() for name, amount in each["resources"].items()}


def placement(site: Site, path: str) -> dict[str, Any]:
    """Return what Placement answers, in a version of its API that has traits."""
    answer: dict[str, Any] = site.admin.placement.get(path, microversion="1.39").json()
    return answer


def test_each_image_goes_to_its_engine(
    site: Site, domains: Domains, vm: str, container: str
) -> None:
    """An unmarked disk becomes a domain, an image of format docker a container, never both."""
    assert domains.uuids() == {vm}
    names = [name for each in site.engine.containers(all=True) for name in each["Names"]]
    assert names == [f"/nova-{container}"]


def test_one_host_is_counted_once(site: Site, vm: str, container: str) -> None:
    """One node, one provider, libvirt's inventory, the traits of both."""
    (node,) = site.admin.compute.hypervisors()
    (provider,) = site.admin.placement.resource_providers()
    assert node.name == provider.name
    traits = placement(site, f"/resource_providers/{provider.id}/traits")["traits"]
    assert "CUSTOM_DOCKER" in traits
    assert "COMPUTE_IMAGE_TYPE_QCOW2" in traits
    usages = placement(site, f"/resource_providers/{provider.id}/usages")["usages"]
    flavors = [site.server(each).flavor for each in (vm, container)]
    assert usages["VCPU"] == sum(flavor["vcpus"] for flavor in flavors)
    assert usages["MEMORY_MB"] == sum(flavor["ram"] for flavor in flavors)


def test_both_kinds_meet_on_one_network(
    site: Site, vm: str, vm_address: str, container: str
) -> None:
    """TCP passes from outside to the machine, and from the container to the machine."""
    assert site.fixed_address(vm) in page(vm_address, PATIENCE)
    assert site.reaches(container, site.fixed_address(vm))


@pytest.mark.parametrize("kind", ["vm", "container"])
def test_actions_reach_the_engine_that_has_the_server(
    site: Site, domains: Domains, request: pytest.FixtureRequest, kind: str
) -> None:
    """Pause, stop and start of either kind change that server and no other."""
    server, other = (
        request.getfixturevalue(name) for name in (kind, "container" if kind == "vm" else "vm")
    )
    compute = site.demo.compute
    compute.pause_server(server)
    site.wait(server, "PAUSED")
    if kind == "vm":
        assert domains.state(server) == "paused"
    else:
        assert site.container(server)["State"]["Paused"]
    compute.unpause_server(server)
    site.wait(server, "ACTIVE")
    compute.stop_server(server)
    site.wait(server, "SHUTOFF", PATIENCE)
    assert site.server(other).status == "ACTIVE"
    compute.start_server(server)
    site.wait(server, "ACTIVE", PATIENCE)


def test_a_machine_is_suspended(site: Site, vm: str) -> None:
    """What only one kind can do is done for that kind."""
    site.demo.compute.suspend_server(vm)
    site.wait(vm, "SUSPENDED", PATIENCE)
    site.demo.compute.resume_server(vm)
    site.wait(vm, "ACTIVE", PATIENCE)


@pytest.mark.parametrize("kind", ["vm", "container"])
def test_a_rebuild_with_an_image_of_the_other_kind_is_refused(
    site: Site, request: pytest.FixtureRequest, kind: str, web: str, machine_image: str
) -> None:
    """The server stays as it is, its record names its own image, its allocation stays."""
    server = request.getfixturevalue(kind)
    own, foreign = (machine_image, web) if kind == "vm" else (web, machine_image)
    before = allocation(site, server)
    site.demo.compute.rebuild_server(server, image=foreign)
    until(lambda: site.server(server).status != "REBUILD", "the rebuild to be refused", PATIENCE)
    site.wait(server, "ACTIVE", PATIENCE)
    assert site.server(server).image.id == own
    until(lambda: allocation(site, server) == before, "the allocation to be whole again")
    assert before


def test_nova_compute_dies_and_neither_kind_notices(
    site: Site, domains: Domains, vm: str, vm_address: str, container: str
) -> None:
    """Domain and container run on, and both are acted on afterwards."""
    started = site.container(container)["State"]["StartedAt"]
    killed(site)
    assert domains.state(vm) == "running"
    assert site.container(container)["State"]["StartedAt"] == started
    assert site.fixed_address(vm) in page(vm_address)
    for server in (vm, container):
        site.demo.compute.pause_server(server)
        site.wait(server, "PAUSED")
        site.demo.compute.unpause_server(server)
        site.wait(server, "ACTIVE")


def test_containers_go_on_without_libvirtd(site: Site, container: str, vm: str) -> None:
    """One engine that is away leaves the other's servers and actions alone."""
    site.stop("libvirtd")
    try:
        site.demo.compute.pause_server(container)
        site.wait(container, "PAUSED")
        site.demo.compute.unpause_server(container)
        site.wait(container, "ACTIVE")
        assert site.server(vm).status == "ACTIVE"
    finally:
        site.start("libvirtd")
    until(partial(all_enabled, site), "nova-compute to be enabled again", 120)


def all_enabled(site: Site) -> bool:
    """Return whether the scheduler may use every service."""
    return all(each.status == "enabled" for each in site.admin.compute.services())


def test_a_deleted_machine_leaves_nothing(
    site: Site, owner: Tenant, domains: Domains, vm: str
) -> None:
    """Domain, tap, port and directory go with the server."""
    owner.delete(vm)
    assert domains.uuids() == set()
