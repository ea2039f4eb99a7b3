# SPDX-License-Identifier: Apache-2.0
"""Volumes through the life of servers, and of the services that look after both."""

import os
import signal
from typing import Any

from tests.support.cloud_site import Site, Tenant, until
from tests.volumes.conftest import PLACE, Volumes, read, write


def test_a_volume_stays_through_stop_reboot_and_rebuild(
    site: Site, server: str, volumes: Volumes
) -> None:
    """A server finds its volume again after a stop, a hard reboot and a rebuild."""
    volume, compute = volumes.make(docker_mount_point=PLACE), site.demo.compute
    volumes.attach(server, volume)
    write(site, server, "kept")
    compute.stop_server(server)
    site.wait(server, "SHUTOFF")
    compute.start_server(server)
    site.wait(server, "ACTIVE")
    assert read(site, server) == "kept"
    compute.reboot_server(server, "HARD")
    site.wait(server, "ACTIVE")
    assert read(site, server) == "kept"
    compute.rebuild_server(server, image=site.server(server).image.id)
    site.wait(server, "ACTIVE")
    assert read(site, server) == "kept"
    volumes.detach(server, volume)


def test_a_volume_stays_while_services_restart(site: Site, server: str, volumes: Volumes) -> None:
    """A server reads and writes its volume while nova-compute is away, and lets go after it."""
    volume = volumes.make(docker_mount_point=PLACE)
    volumes.attach(server, volume)
    site.stop("nova-compute")
    write(site, server, "kept")
    site.start("nova-compute")
    assert read(site, server) == "kept"
    volumes.detach(server, volume)


def test_a_volume_outlives_its_engine(site: Site, server: str, volumes: Volumes) -> None:
    """A killed engine, once back, finds a server with its volume, which can be detached."""
    volume = volumes.make(docker_mount_point=PLACE)
    volumes.attach(server, volume)
    write(site, server, "kept")
    dead = site.pid("dockerd")
    os.kill(dead, signal.SIGKILL)
    until(lambda: site.pid("dockerd") not in (0, dead), "the supervisor to start the engine")
    site.start("dockerd")
    assert read(site, server) == "kept"
    volumes.detach(server, volume)


def test_a_volume_stays_through_shelving(site: Site, server: str, volumes: Volumes) -> None:
    """A shelved server leaves nothing of its volume on the host, and has it when it is back."""
    volume, compute = volumes.make(docker_mount_point=PLACE), site.demo.compute
    volumes.attach(server, volume)
    write(site, server, "kept")
    compute.shelve_server(server)
    site.wait(server, "SHELVED_OFFLOADED")
    compute.unshelve_server(server)
    site.wait(server, "ACTIVE")
    assert read(site, server) == "kept"
    volumes.detach(server, volume)


def born_with(volume: str, image: str, **values: Any) -> list[dict[str, Any]]:
    """Return what a new server with a volume is asked to have."""
    root = {"boot_index": 0, "uuid": image, "source_type": "image", "destination_type": "local"}
    data = {"uuid": volume, "source_type": "volume", "destination_type": "volume"}
    return [root | {"delete_on_termination": True}, data | {"boot_index": -1} | values]


def test_a_server_is_born_with_its_volume(
    site: Site, tenant: Tenant, web: str, server: str, volumes: Volumes
) -> None:
    """A new server has its volume, and its deletion lets go of that."""
    volume = volumes.make(docker_mount_point=PLACE)
    born = tenant.boot(web, block_device_mapping=born_with(volume, web))
    write(site, born, "kept")
    tenant.delete(born)
    volumes.wait(volume, "available")
    assert volumes.remains(volume) == []
    volumes.attach(server, volume)
    assert read(site, server) == "kept"
    volumes.detach(server, volume)


def test_a_volume_ends_with_its_server_where_that_was_asked(
    site: Site, tenant: Tenant, web: str, volumes: Volumes
) -> None:
    """A volume to be deleted on termination is deleted with its server."""
    volume = volumes.make(docker_mount_point=PLACE)
    volumes.made.remove(volume)
    mapping = born_with(volume, web, delete_on_termination=True)
    born = tenant.boot(web, block_device_mapping=mapping)
    write(site, born, "lost")
    tenant.delete(born)
    until(lambda: site.demo.block_storage.find_volume(volume) is None, "the volume to be deleted")


def test_a_build_that_fails_lets_go_of_its_volume(
    site: Site, tenant: Tenant, web: str, volumes: Volumes
) -> None:
    """A server refused after its volume was connected leaves that to others."""
    volume = volumes.make(docker_mount_point="/etc/passwd")
    born = tenant.boot(web, "ERROR", block_device_mapping=born_with(volume, web))
    tenant.delete(born)
    volumes.wait(volume, "available")
    assert volumes.remains(volume) == []
