# SPDX-License-Identifier: Apache-2.0
"""Deaths, forged records, foreign guests and conversions of a hybrid host: no wrong removal."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from novadocker.cloud.samples import CACHE, machine
from tests.hybrid.conftest import PATIENCE, Domains, killed
from tests.support.cloud_site import UNBUILT, Site, Tenant, page, until

HYBRID = "novadocker.virt.hybrid.HybridDriver"
CONTAINERS, MACHINES = "novadocker.virt.docker.DockerDriver", "libvirt.LibvirtDriver"
KINDS = ("container", "machine")
# Seconds in which a task that is due every second has run a few times.
ROUNDS = 10


@pytest.fixture(scope="module")
def bystanders(
    site: Site, owner: Tenant, boot_machine: Callable[..., str], web: str
) -> dict[str, str]:
    """A server of each kind, which no test may touch."""
    return {"machine": boot_machine(name="bystander"), "container": owner.boot(web)}


@pytest.fixture(autouse=True)
def _unharmed(site: Site, bystanders: dict[str, str], domains: Domains) -> Iterator[None]:
    """Both bystanders run on, the same processes as before."""
    before = processes(site, bystanders)
    yield
    assert processes(site, bystanders) == before
    assert domains.state(bystanders["machine"]) == "running"


def processes(site: Site, servers: dict[str, str]) -> dict[str, Any]:
    """Return the process that each kind's server runs as, by number or moment of its start."""
    pidfiles = (site.host.data / "libvirt/run/qemu").glob("*.pid")
    pids = {path.stem: path.read_text() for path in pidfiles}
    machine_name = f"instance-{int(instance_number(site, servers['machine'])):08x}"
    return {
        "machine": pids[machine_name],
        "container": site.container(servers["container"])["State"]["Pid"],
    }


def instance_number(site: Site, server: str) -> str:
    """Return the number by which Nova's libvirt driver names a server's domain."""
    return str(query(site, "SELECT id FROM nova.instances WHERE uuid = %s", server))


def query(site: Site, statement: str, *values: str) -> Any:
    """Run a statement in Nova's database, and return the first value or the count of rows."""
    import pymysql  # noqa: PLC0415 - the launcher's, of its own environment

    connection: Any = pymysql.connect(
        unix_socket=str(site.layout.database_socket), user="root", autocommit=True
    )
    with connection, connection.cursor() as cursor:
        count = cursor.execute(statement, values)
        found = cursor.fetchone()
        return found[0] if found else count


def image_of(kind: str, web: str, machine_image: str) -> dict[str, str]:
    """Return what a request for a server of a kind names."""
    if kind == "machine":
        return {"image": machine_image, "flavor": "c1.small"}
    return {"image": web}


# Deaths of nova-compute


def spawning(site: Site, _domains: Domains, server: str) -> bool:
    """Say whether Nova has begun to build a server."""
    return str(site.server(server).task_state) in ("networking", "spawning")


def made(site: Site, domains: Domains, server: str) -> bool:
    """Say whether either engine has something of a server."""
    filters = {"label": f"novadocker.instance={server}"}
    return server in domains.uuids() or bool(site.engine.containers(all=True, filters=filters))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("moment", [spawning, made], ids=["begun", "made"])
def test_a_death_in_the_middle_of_a_spawn_leaves_nothing_behind(
    site: Site,
    tenant: Tenant,
    domains: Domains,
    web: str,
    machine_image: str,
    kind: str,
    moment: Callable[[Site, Domains, str], bool],
) -> None:
    """A server whose build was cut off is deleted from both engines; the next one is built."""
    asked = image_of(kind, web, machine_image)
    server = tenant.request(**asked)
    until(partial(moment, site, domains, server), f"the build to be {moment.__name__}", PATIENCE)
    killed(site)
    until(lambda: site.server(server).status not in UNBUILT, "the build to be given up", PATIENCE)
    tenant.delete(server)
    again = tenant.request(**asked)
    site.wait(again, "ACTIVE", PATIENCE)
    assert (again in domains.uuids()) is (kind == "machine")


# Records and guests that lie


@pytest.mark.parametrize(("kind", "lie"), [("container", "bare"), ("machine", "docker")])
def test_a_forged_record_destroys_nothing_wrong(
    site: Site, tenant: Tenant, domains: Domains, web: str, machine_image: str, kind: str, lie: str
) -> None:
    """A server whose record names the other kind is paused and deleted as what it is."""
    server = tenant.request(**image_of(kind, web, machine_image))
    site.wait(server, "ACTIVE", PATIENCE)
    forged = (
        "UPDATE nova.instance_system_metadata SET value = %s "
        "WHERE `key` = 'image_container_format' AND instance_uuid = %s"
    )
    assert query(site, forged, lie, server) == 1
    site.demo.compute.pause_server(server)
    site.wait(server, "PAUSED")
    if kind == "machine":
        assert domains.state(server) == "paused"
    tenant.delete(server)


@pytest.mark.parametrize("kind", KINDS)
def test_two_guests_of_one_server_go_together(
    site: Site, tenant: Tenant, domains: Domains, web: str, machine_image: str, kind: str
) -> None:
    """A server that both engines have is removed from both, and the log says so."""
    server = tenant.request(**image_of(kind, web, machine_image))
    site.wait(server, "ACTIVE", PATIENCE)
    if kind == "container":
        domains.define(server)
    else:
        (image,) = site.engine.images(filters={"dangling": False})[:1]
        labels = {"novadocker.instance": server, "novadocker.host": site.host.name}
        site.engine.create_container(
            image["Id"], ["/true"], name=f"nova-{server}", labels=labels, entrypoint=["/true"]
        )
    tenant.delete(server)
    assert f"Both engines have server {server}" in site.log("nova-compute")


@pytest.mark.parametrize(
    ("lies", "reason"),
    [
        ({"container_format": "docker", "disk_format": "raw"}, "image"),
        ({"container_format": "bare", "disk_format": "raw", "hypervisor_type": "docker"}, "image"),
    ],
)
def test_a_disk_that_is_called_a_container_is_refused(
    site: Site, tenant: Tenant, lies: dict[str, str], reason: str
) -> None:
    """A machine's disk under the mark of containers makes no server; the fault names the image."""
    lying = tenant.upload(machine.saved(CACHE), **lies)
    server = tenant.boot(lying, "ERROR")
    assert reason in site.fault(server).lower()
    tenant.delete(server)


def test_a_container_that_is_called_a_disk_goes_without_a_trace(
    site: Site, tenant: Tenant, domains: Domains, web_archive: Path
) -> None:
    """A saved container without its mark is a machine that boots nothing, as on any libvirt host.

    The scheduler cannot tell, and neither can the driver: the record says a disk.
    """
    lying = tenant.upload(web_archive, container_format="bare", disk_format="raw")
    server = tenant.request(lying, flavor="c1.small")
    until(lambda: site.server(server).status not in UNBUILT, "the build to end", PATIENCE)
    assert not site.engine.containers(all=True, filters={"label": f"novadocker.instance={server}"})
    tenant.delete(server)


# Clean-ups


def test_a_clean_up_of_each_driver_spares_the_others_files(
    site: Site, tenant: Tenant, web: str, machine_image: str
) -> None:
    """Both image caches are emptied of what is unused every second, and both kinds start again."""
    servers = {}
    for kind in KINDS:
        servers[kind] = tenant.request(**image_of(kind, web, machine_image))
        site.wait(servers[kind], "ACTIVE", PATIENCE)
    directories = [site.host.nova_state / "instances" / each for each in servers.values()]
    before = [sorted(path.name for path in each.iterdir()) for each in directories]
    eager = "manager_interval = 1\nremove_unused_original_minimum_age_seconds = 0"
    with site.configured("nova-compute", "", image_cache=eager):
        time.sleep(ROUNDS)
    assert [sorted(path.name for path in each.iterdir()) for each in directories] == before
    for server in servers.values():
        site.demo.compute.reboot_server(server, "HARD")
        site.wait(server, "ACTIVE", PATIENCE)


# Conversions


@contextmanager
def converted(site: Site, driver: str) -> Iterator[None]:
    """Run nova-compute with the driver of one kind, then with the hybrid driver again."""
    path = site.layout.conf("nova-compute") / "nova.conf"
    before = path.read_text()
    path.write_text(before.replace(HYBRID, driver))
    try:
        site.restart("nova-compute")
        yield
    finally:
        path.write_text(before)
        site.restart("nova-compute")


@pytest.mark.parametrize(("driver", "kept"), [(CONTAINERS, "container"), (MACHINES, "machine")])
def test_a_host_is_converted_with_servers_of_both_kinds(
    site: Site, tenant: Tenant, web: str, machine_image: str, driver: str, kept: str
) -> None:
    """Servers of the kind that stays are acted on; the others run on, and are mended afterwards."""
    servers = {}
    for kind in KINDS:
        servers[kind] = tenant.request(**image_of(kind, web, machine_image))
        site.wait(servers[kind], "ACTIVE", PATIENCE)
    before = processes(site, servers)
    address = site.give_address(servers["machine"])
    page(address, PATIENCE)
    with converted(site, driver):
        paused_and_back(site, servers[kept])
        assert processes(site, servers) == before
    assert processes(site, servers) == before
    assert site.fixed_address(servers["machine"]) in page(address, PATIENCE)
    for server in servers.values():
        # The driver of one kind did not find the other kind's server at its start.
        if site.server(server).status != "ACTIVE":
            site.demo.compute.reboot_server(server, "HARD")
            # ERROR until the reboot has ended, which is no failure here.
            until(partial(is_active, site, server), f"server {server} to be mended", PATIENCE)
        paused_and_back(site, server)


def is_active(site: Site, server: str) -> bool:
    """Say whether a server is ACTIVE and nothing is being done to it."""
    now = site.server(server)
    return now.status == "ACTIVE" and not now.task_state


def paused_and_back(site: Site, server: str) -> None:
    """Pause a server and let it go on."""
    site.demo.compute.pause_server(server)
    site.wait(server, "PAUSED")
    site.demo.compute.unpause_server(server)
    site.wait(server, "ACTIVE")
