# SPDX-License-Identifier: Apache-2.0
"""Calls not for containers are refused in words, without a change."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from openstack.exceptions import BadRequestException

from tests.support.cloud_site import Site, Tenant, until

UEFI = {"hw_firmware_type": "uefi"}


def account(site: Site, server: str) -> tuple[object, ...]:
    """Return what engine, Nova and Placement have of a server."""
    container, nova = site.container(server), site.server(server)
    held = site.admin.placement.get(f"/allocations/{server}").json()["allocations"]
    resources = [each["resources"] for each in held.values()]
    return container["Id"], container["State"], nova.image.id, nova.flavor.name, resources


@pytest.fixture
def untouched(site: Site, standing: str) -> Iterator[str]:
    """A server that is the same afterwards."""
    before = account(site, standing)
    yield standing
    site.wait(standing, "ACTIVE")
    assert account(site, standing) == before


@pytest.fixture
def flavor(site: Site) -> Iterator[str]:
    """A flavor with an ephemeral disk, which no server has that was made without."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    made = site.admin.compute.create_flavor(name=name, vcpus=1, ram=64, disk=1, ephemeral=1)
    yield made.id
    site.admin.compute.delete_flavor(made)


def test_a_machines_image_is_no_containers(site: Site, tenant: Tenant, web_archive: Path) -> None:
    """A server from an image with firmware is in ERROR, with the reason in the fault."""
    image = tenant.upload(web_archive, **UEFI)
    server = tenant.boot(image, status="ERROR")
    fault = site.fault(server)
    assert "not for containers: hw_firmware_type = uefi" in fault
    assert "accepted is bios" in fault


def test_a_rebuild_that_cannot_be_leaves_the_server(
    site: Site, tenant: Tenant, web: str, web_archive: Path
) -> None:
    """A server with a refused rebuild runs on from its image, also in Nova's record."""
    image, server = tenant.upload(web_archive, **UEFI), tenant.boot(web)
    *before, _ = account(site, server)
    site.demo.compute.rebuild_server(server, image=image)
    assert "not for containers: hw_firmware_type = uefi" in site.refusal(server, "rebuild")
    site.wait(server, "ACTIVE")
    *after, _ = account(site, server)  # what Placement held Nova itself has let go
    assert after == before
    site.demo.compute.reboot_server(server, "HARD")
    until(lambda: site.container(server)["State"] != before[1], "a new process")
    site.wait(server, "ACTIVE")


def test_a_resize_that_cannot_be_leaves_the_server(site: Site, untouched: str, flavor: str) -> None:
    """A server with a refused resize runs on under its flavor, also in Placement."""
    site.demo.compute.resize_server(untouched, flavor)
    assert "a flavor whose ephemeral disk has the size" in site.refusal(untouched, "resize")


def test_a_container_moves_to_no_other_host(site: Site, untouched: str) -> None:
    """Neither while it runs nor without; it is an error of the migration, not of the server."""
    for action, request in {
        "live-migration": {"os-migrateLive": {"host": None, "block_migration": "auto"}},
        "migrate": {"migrate": None},
    }.items():
        url = f"/servers/{untouched}/action"
        site.admin.compute.post(url, json=request, microversion="2.34")
        assert site.refusal(untouched, action)
        site.wait(untouched, "ACTIVE")


@pytest.mark.parametrize("kind", ["novnc", "spice-html5"])
def test_a_container_has_no_screen(site: Site, untouched: str, kind: str) -> None:
    """The answer is an error of the request."""
    with pytest.raises(BadRequestException, match="Unavailable console type"):
        site.demo.compute.create_console(untouched, console_type=kind)
