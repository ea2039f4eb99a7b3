# SPDX-License-Identifier: Apache-2.0
"""Images with layers in common: only new layers move, and nobody gets a stranger's layer."""

import contextlib
import os
import re
import signal
import time
import uuid
from collections.abc import Iterator

import pytest
from openstack import connect
from openstack.exceptions import HttpException

from tests.support.cloud_site import (
    Site,
    Tenant,
    until,
)
from tests.support.layered import (
    Saved,
    junk,
    shell,
    tar,
)

MB = 1_000_000
SECRET = b"what only its tenant knows\n"
NOWHERE = {"networks": (), "groups": ()}


@pytest.fixture(scope="module")
def base() -> list[bytes]:
    """Two layers: a shell, and something that is nobody else's business."""
    return [shell(), tar({"srv/secret": SECRET, "srv/ballast": os.urandom(4 * MB)})]


@pytest.fixture(scope="module")
def first(owner: Tenant, base: list[bytes]) -> str:
    """A private image that this host has loaded."""
    image = owner.upload(Saved(base, tag="acme/app:1").archive())
    owner.boot(image, **NOWHERE)
    return image


@pytest.fixture(scope="module")
def stranger(site: Site) -> Iterator[Tenant]:
    """A tenant of another project."""
    identity, name = site.admin.identity, f"test-{uuid.uuid4().hex[:8]}"
    with contextlib.ExitStack() as undo:
        project = identity.create_project(name=name)
        undo.callback(identity.delete_project, project)
        user = identity.create_user(name=name, password=name, default_project_id=project.id)
        undo.callback(identity.delete_user, user)
        identity.assign_project_role_to_user(project, user, identity.find_role("member"))
        auth = site.demo.config.get_auth_args() | {
            "username": name,
            "password": name,
            "project_name": name,
        }
        region = site.demo.config.get_region_name()
        connection = undo.enter_context(connect(auth=auth, region_name=region))
        made = Tenant(Site(site.layout, site.admin, connection, site.engine))
        undo.callback(made.leave)
        yield made


def read(site: Site, image: str) -> int:
    """Return how many bytes of an image the host has read from Glance to load it."""
    found = until(
        lambda: re.findall(
            rf"Loaded image {image} as .*, (\d+) bytes read", site.log("nova-compute")
        ),
        f"image {image} to be loaded",
    )
    return int(found[-1])


def names(site: Site) -> set[str]:
    """Return what the engine's images are called."""
    return {tag for image in site.engine.images() for tag in image["RepoTags"] or ()}


def events(site: Site, server: str) -> dict[str, str]:
    """Return the results of the events of a server's creation."""
    url = f"/servers/{server}/os-instance-actions"
    (action,) = site.demo.compute.get(url).json()["instanceActions"][-1:]
    answer = site.demo.compute.get(f"{url}/{action['request_id']}", microversion="2.62")
    return {each["event"]: each["result"] for each in answer.json()["instanceAction"]["events"]}


@pytest.mark.parametrize("indexed", [True, False])
def test_only_what_is_new_is_read(
    site: Site, owner: Tenant, first: str, base: list[bytes], indexed: bool
) -> None:
    """With an index and without one; the server has the files of all layers."""
    assert first
    saved = Saved([*base, tar({"srv/new": os.urandom(MB // 2)})])
    image = owner.upload(saved.archive(), **({"docker_index": saved.index()} if indexed else {}))
    server = owner.boot(image, **NOWHERE)
    assert MB // 2 < read(site, image) < MB
    assert site.run(server, "/bin/busybox", "cat", "/srv/secret").encode() == SECRET
    assert events(site, server)["docker_load_image"] == "Success"


def test_an_honest_stranger_has_his_bytes_read(
    site: Site, stranger: Tenant, first: str, base: list[bytes]
) -> None:
    """A user with proof of the layers boots, and no layer is sent to the engine again."""
    assert first
    data = Saved([*base, tar({"srv/his": b"his"})]).archive()
    server = stranger.boot(image := stranger.upload(data), **NOWHERE)
    assert read(site, image) > sum(map(len, base))
    assert site.run(server, "/bin/busybox", "cat", "/srv/his") == "his"
    # From now on he would be known to have the layer: in other tests he has not.
    stranger.delete(server)
    stranger.images.remove(image)
    stranger.site.demo.image.delete_image(image)


@pytest.mark.parametrize("lie", ["nothing there", "junk", "junk and an index"])
def test_who_only_names_a_layer_gets_nothing_of_it(
    site: Site, stranger: Tenant, first: str, base: list[bytes], lie: str
) -> None:
    """The server is in ERROR, and the engine makes no image that has the layer."""
    assert first
    saved = Saved([*base, tar({"srv/his": lie.encode()})])
    saved.instead[1] = None if lie == "nothing there" else junk(len(base[1]))
    properties = {"docker_index": saved.index()} if lie == "junk and an index" else {}
    before = names(site)
    image = stranger.upload(saved.archive(), **properties)
    server = stranger.boot(image, status="ERROR", **NOWHERE)
    fault = stranger.site.fault(server)
    assert "not a sound" in fault
    assert ("missing" if lie == "nothing there" else "digest") in fault
    assert SECRET.decode().strip() not in fault
    assert names(site) == before
    stranger.delete(server)


def test_names_inside_an_archive_are_nobodys(
    site: Site, owner: Tenant, stranger: Tenant, first: str
) -> None:
    """Two owners of images with one name boot their own bytes each."""
    theirs = Saved([shell(), tar({"srv/secret": b"his own"})], tag="acme/app:1")
    image = stranger.upload(theirs.archive())
    server = stranger.boot(image, **NOWHERE)
    assert site.run(server, "/bin/busybox", "cat", "/srv/secret") == "his own"
    again = owner.boot(first, **NOWHERE)
    assert site.run(again, "/bin/busybox", "cat", "/srv/secret").encode() == SECRET
    assert "acme/app:1" not in names(site)


def test_a_private_image_of_another_is_none(stranger: Tenant, first: str) -> None:
    """An image hidden by Glance is unknown to Nova, also on a host with the image."""
    with pytest.raises(HttpException, match="Can not find requested image"):
        stranger.request(first, **NOWHERE)


def test_a_snapshot_moves_its_own_layer_only(site: Site, owner: Tenant, first: str) -> None:
    """An upload is whole and has an index; a boot here reads only the new layers."""
    server = owner.boot(first, **NOWHERE)
    site.run(server, "/bin/busybox", "dd", "if=/dev/urandom", "of=/srv/new", "bs=100k", "count=1")
    made = site.demo.compute.create_server_image(server, f"test-{uuid.uuid4().hex[:8]}")
    owner.images.append(made.id)
    image = until(lambda: _active(site, made.id), "the snapshot to be active")
    until(lambda: "docker_index" in site.demo.image.get_image(made.id).properties, "its index")
    assert image.size > 4 * MB
    owner.boot(made.id, **NOWHERE)
    assert 100_000 < read(site, made.id) < 1 * MB


def _active(site: Site, image: str) -> object:
    found = site.demo.image.get_image(image)
    return found if found.status == "active" else None


def test_who_is_deleted_does_not_wait_for_his_image(site: Site, owner: Tenant) -> None:
    """Glance has gone silent in the middle; the server goes at once, and the load with it."""
    image = owner.upload(Saved([shell(), tar({"ballast": os.urandom(200 * MB)})]).archive())
    server = owner.request(image, **NOWHERE)
    glance = site.pid("glance")
    until(lambda: "docker_load_image" in _begun(site, server), "the load to begin")
    os.kill(glance, signal.SIGSTOP)
    try:
        began = time.monotonic()
        owner.delete(server)
        assert time.monotonic() - began < 20
    finally:
        os.kill(glance, signal.SIGCONT)
    until(lambda: not any(image in tag for tag in names(site)), "the load to be undone")


def _begun(site: Site, server: str) -> dict[str, str]:
    try:
        return events(site, server)
    except (ValueError, KeyError):
        return {}
