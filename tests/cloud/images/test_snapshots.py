# SPDX-License-Identifier: Apache-2.0
"""Images made of servers, servers made of such images, and images cached ahead."""

import hashlib
import io
import json
import tarfile
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.support.cloud_site import (
    Site,
    Tenant,
    page,
    until,
)

# What an image says of its containers, none of it as the web server's own image has it.
CONFIG = {
    "Entrypoint": ["/bin/sh", "-c"],
    "Cmd": ["echo colour $COLOUR, here $PWD; exec /bin/serve"],
    "Env": ["PATH=/bin", "COLOUR=green"],
    "WorkingDir": "/www",
    "ExposedPorts": {"80/tcp": {}},
    "Labels": {"org.example.made-by": "the image's author"},
    "StopSignal": "SIGINT",
    "Healthcheck": {"Test": ["CMD", "true"], "Interval": 3600000000000},
    "User": "0:0",
    "Volumes": {"/data": {}},
}


def configured(archive: bytes, config: dict[str, Any]) -> bytes:
    """Return a saved image whose containers are to be like that."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        files = {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}
    (manifest,) = json.loads(files["manifest.json"])
    image = json.loads(files[manifest["Config"]]) | {"config": config}
    content = json.dumps(image).encode()
    manifest["Config"] = f"{hashlib.sha256(content).hexdigest()}.json"
    members = {name: files[name] for name in manifest["Layers"]}
    members |= {
        manifest["Config"]: content,
        "manifest.json": json.dumps([manifest]).encode(),
    }
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        for name, member in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(member)
            tar.addfile(entry, io.BytesIO(member))
    return written.getvalue()


def snapshot(site: Site, tenant: Tenant, server: str, **properties: str) -> str:
    """Make an image of a server, wait until nothing is done to the server, and return its id."""
    found = site.demo.compute.create_server_image(
        server, f"test-{uuid.uuid4().hex[:8]}", metadata=properties
    )
    until(lambda: site.server(server).task_state is None, "the snapshot to end")
    if image := site.demo.image.find_image(found.id):
        tenant.images.append(image.id)
    return str(found.id)


def settings(site: Site, server: str) -> dict[str, Any]:
    """Return the settings of the image of a server's container, without empty values."""
    image = site.engine.inspect_image(site.container(server)["Image"])
    return {name: value for name, value in image["Config"].items() if value}


def leftovers(site: Site) -> list[str]:
    """Return the engine's images that are of no use once a snapshot is done."""
    tags = [tag for image in site.engine.images(all=True) for tag in image["RepoTags"] or ("-",)]
    return [tag for tag in tags if tag == "-" or tag.startswith(("nova-snapshot/", "<none>"))]


@pytest.fixture(scope="module")
def server(site: Site, owner: Tenant, web_archive: Path) -> str:
    """A server of an image with much to say, which has written and deleted files."""
    image = owner.upload(configured(web_archive.read_bytes(), CONFIG))
    made = owner.boot(image, key_name="demo", metadata={"SECRET": "of this server"})
    site.run(made, "sh", "-c", "echo kept > /root/file; rm /www/cgi-bin/index.cgi")
    return made


def test_an_image_of_a_running_server_boots_as_its_own_image_does(
    site: Site, tenant: Tenant, owner: Tenant, server: str
) -> None:
    """Files are the server's; command, environment, ports and the rest are its image's."""
    started = site.container(server)["State"]["StartedAt"]
    image = snapshot(site, owner, server)
    made = site.demo.image.get_image(image)
    assert (made.status, made.container_format, made.disk_format) == ("active", "docker", "raw")
    assert leftovers(site) == []
    state = site.container(server)["State"]
    assert (state["Status"], state["StartedAt"]) == ("running", started)
    copy = tenant.boot(image)
    assert site.run(copy, "cat", "/root/file") == "kept\n"
    site.run(copy, "test", "!", "-e", "/www/cgi-bin/index.cgi")
    assert settings(site, copy) == settings(site, server)
    assert "colour green, here /www" in until(lambda: site.console(copy), "its first words")
    assert "SECRET" not in site.run(copy, "sh", "-c", "tr '\\0' '\\n' < /proc/1/environ")


def test_a_stopped_and_a_paused_server_stay_as_they_are(
    site: Site, owner: Tenant, server: str
) -> None:
    """Stopped and paused servers have their images made, and stay as before."""
    compute = site.demo.compute
    compute.pause_server(server)
    site.wait(server, "PAUSED")
    paused = snapshot(site, owner, server)
    assert site.server(server).status == "PAUSED"
    assert site.container(server)["State"]["Paused"]
    compute.unpause_server(server)
    site.wait(server, "ACTIVE")
    compute.stop_server(server)
    site.wait(server, "SHUTOFF")
    stopped = snapshot(site, owner, server)
    assert site.server(server).status == "SHUTOFF"
    assert not site.container(server)["State"]["Running"]
    assert [site.demo.image.get_image(each).status for each in (paused, stopped)] == ["active"] * 2
    compute.start_server(server)
    site.wait(server, "ACTIVE")


def test_how_a_snapshot_is_made_is_a_property_of_it(site: Site, owner: Tenant, server: str) -> None:
    """A live snapshot never stops the server; an unknown mode makes none; neither is inherited."""
    live = snapshot(site, owner, server, docker_snapshot="live", purpose="testing")
    properties = site.demo.image.get_image(live).properties
    assert properties["purpose"] == "testing"
    assert "docker_snapshot" not in properties
    refused = snapshot(site, owner, server, docker_snapshot="sometimes")
    assert site.demo.image.find_image(refused) is None
    assert site.server(server).status == "ACTIVE"
    assert "docker_snapshot = 'sometimes' is refused" in site.log("nova-compute")


def test_backups_rotate(site: Site, owner: Tenant, server: str) -> None:
    """Of backups of one kind the newest are kept, as many as were asked for."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    for number in range(3):
        site.demo.compute.backup_server(server, f"{name}-{number}", "daily", 2)
        until(lambda: site.server(server).task_state is None, "the backup to end")
    kept = [each for each in site.demo.image.images() if each.name.startswith(name)]
    owner.images += [each.id for each in kept]
    assert sorted(each.name for each in kept) == [f"{name}-1", f"{name}-2"]
    assert {each.status for each in kept} == {"active"}
    assert leftovers(site) == []


def test_a_rebuilt_server_is_new_at_the_same_address(
    site: Site, tenant: Tenant, web: str, web_archive: Path
) -> None:
    """Id, port, MAC and addresses stay; files go; image and metadata are the new ones.

    A bad image costs it nothing, and one that lost its container is there again.
    """
    server = tenant.boot(web, metadata={"COLOUR": "red"})
    address = site.give_address(server)
    (port,) = site.ports(server)
    other = tenant.upload(configured(web_archive.read_bytes(), CONFIG))
    for image, metadata in ((web, {"COLOUR": "blue"}), (other, {"TASTE": "sweet"})):
        site.run(server, "touch", "/root/file")
        site.demo.compute.rebuild_server(server, image=image, metadata=metadata, key_name="demo")
        site.wait(server, "ACTIVE")
        site.run(server, "test", "!", "-e", "/root/file")
        (now,) = site.ports(server)
        assert (now.id, now.mac_address, now.fixed_ips) == (
            port.id,
            port.mac_address,
            port.fixed_ips,
        )
        environment = site.container(server)["Config"]["Env"]
        assert {f"{name}={value}" for name, value in metadata.items()} <= set(environment)
        assert "ssh-" in site.run(server, "cat", "/root/.ssh/authorized_keys")
        assert "Hello from" in page(address)
    assert settings(site, server)["WorkingDir"] == "/www"
    assert "COLOUR=green" in settings(site, server)["Env"]
    _refuse_to_become(site, server, tenant.upload(b"This is no archive. " * 1000))
    _come_back(site, server, web)
    assert "Hello from" in page(address)


def _refuse_to_become(site: Site, server: str, image: str) -> None:
    site.run(server, "touch", "/root/file")
    site.demo.compute.rebuild_server(server, image=image)
    until(lambda: site.server(server).status == "ERROR", "the rebuild to be refused")
    assert "not a sound 'docker save' archive" in site.fault(server)
    site.run(server, "test", "-e", "/root/file")
    site.demo.compute.reboot_server(server, "HARD")
    until(lambda: site.server(server).status == "ACTIVE", "the server to be what it was")
    site.run(server, "test", "-e", "/root/file")


def _come_back(site: Site, server: str, image: str) -> None:
    site.engine.remove_container(f"nova-{server}", force=True)
    site.demo.compute.rebuild_server(server, image=image)
    site.wait(server, "ACTIVE")


def test_a_shelved_server_comes_back_with_files_and_addresses(
    site: Site, tenant: Tenant, web: str
) -> None:
    """A shelved server is in Glance alone; unshelved, the server is back and the image gone."""
    server = tenant.boot(web, metadata={"COLOUR": "red"})
    address = site.give_address(server)
    before = site.fixed_address(server)
    site.run(server, "sh", "-c", "echo kept > /root/file")
    site.demo.compute.shelve_server(server)
    site.wait(server, "SHELVED_OFFLOADED")
    assert site.engine.containers(all=True, filters={"name": f"nova-{server}"}) == []
    (shelved,) = [each for each in site.demo.image.images() if server == each.instance_uuid]
    assert (shelved.status, shelved.container_format) == ("active", "docker")
    site.demo.compute.unshelve_server(server)
    site.wait(server, "ACTIVE")
    assert site.fixed_address(server) == before
    assert site.run(server, "cat", "/root/file") == "kept\n"
    assert "COLOUR=red" in site.container(server)["Config"]["Env"]
    assert "Hello from" in page(address)
    assert site.demo.image.find_image(shelved.id) is None


def test_an_image_can_be_cached_before_its_first_server(
    site: Site, tenant: Tenant, web_archive: Path
) -> None:
    """The aggregate's cache call fetches an image once, and only container images."""
    image = tenant.upload(web_archive)
    other = tenant.upload(web_archive, container_format="bare")
    compute = site.admin.compute
    aggregate = compute.create_aggregate(name=f"test-{uuid.uuid4().hex[:8]}")
    try:
        compute.add_host_to_aggregate(aggregate, site.host.name)
        for _ in range(2):
            compute.aggregate_precache_images(aggregate, [image, other])
        told = f"Loaded image {image} as "
        until(lambda: told in site.log("nova-compute"), "the image to be cached")
        refused = f"Failed to cache image {other}"
        until(lambda: site.log("nova-compute").count(refused) == 2, "the second call to end")
    finally:
        compute.remove_host_from_aggregate(aggregate, site.host.name)
        compute.delete_aggregate(aggregate)
    tags = [tag for found in site.engine.images() for tag in found["RepoTags"]]
    assert [tag for tag in tags if image in tag]
    assert not [tag for tag in tags if other in tag]
    assert site.log("nova-compute").count(told) == 1
