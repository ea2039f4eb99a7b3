# SPDX-License-Identifier: Apache-2.0
"""Servers that move between the two hosts of a cloud, and the hosts' faults on the way."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from novadocker.cloud.layout.host import ComputeHost
from tests.hosts.moved import MOVE, Moved, engine_of, service_of
from tests.support.cloud_site import Site, Tenant, page, until

FILES = "echo kept > /root/file; echo odd > /root/.wh.odd; rm /etc/hostname.gone 2>/dev/null; true"
ATTRIBUTE = "user.colour"


@pytest.fixture
def moved(site: Site, owner: Tenant, web: str) -> Iterator[Moved]:
    """Return a server with files of its own."""
    assert site.layout.settings.computes > 1, "novadocker-cloud up --computes 2"
    made = Moved(site, owner.boot(web))
    made.run(FILES)
    os.setxattr(made.file("/root/file"), ATTRIBUTE, b"blue")
    yield made
    owner.delete(made.server)


def _assert_whole(moved: Moved) -> None:
    assert moved.run("cat /root/file /root/.wh.odd") == "kept\nodd\n"
    assert os.getxattr(moved.file("/root/file"), ATTRIBUTE) == b"blue"


def test_a_server_moves_with_files_and_ports(moved: Moved) -> None:
    """A migrated server has its files, attributes and addresses; the copy goes on confirm."""
    site, source = moved.site, moved.host
    (port,) = site.ports(moved.server)
    address = site.give_address(moved.server)
    moved.move()
    _assert_whole(moved)
    copy = moved.container(source)
    assert copy is not None
    assert not copy["State"]["Running"]
    (now,) = site.ports(moved.server)
    assert (now.id, now.mac_address, now.fixed_ips) == (port.id, port.mac_address, port.fixed_ips)
    assert "Hello from" in page(address)
    moved.confirm()
    moved.assert_alone_on(moved.host)
    assert moved.host.name != source.name
    assert "Hello from" in page(address)


def test_a_reverted_move_brings_the_server_back(moved: Moved) -> None:
    """A revert has the server on its old host with the files of before."""
    source = moved.host
    moved.move()
    moved.run("echo lost > /root/file")
    moved.site.demo.compute.revert_server_resize(moved.server)
    moved.site.wait(moved.server, "ACTIVE", MOVE)
    moved.assert_alone_on(source)
    _assert_whole(moved)


def test_a_resize_goes_to_the_other_host(moved: Moved) -> None:
    """A resize to another host gives the limits of the new flavor there."""
    site, source = moved.site, moved.host
    flavor = site.demo.compute.find_flavor("c1.tiny")
    # The scheduler is free to choose; a host that is not to be chosen is disabled meanwhile.
    (service,) = site.admin.compute.services(binary="nova-compute", host=source.name)
    site.admin.compute.disableservice_of(service)
    try:
        site.demo.compute.resize_server(moved.server, flavor.id)
        site.wait(moved.server, "VERIFY_RESIZE", MOVE)
    finally:
        site.admin.compute.enableservice_of(service)
    assert moved.host.name != source.name
    found = moved.container(moved.host)
    assert found is not None
    assert found["HostConfig"]["Memory"] == 128 * 1024**2
    moved.confirm()
    moved.assert_alone_on(moved.host)
    _assert_whole(moved)


def test_a_destination_that_cannot_take_a_server_leaves_it_running(moved: Moved) -> None:
    """A refused server has not been stopped, and the reason is in its action."""
    source, other = moved.host, moved.other
    before = moved.container(source)
    assert before is not None
    with closing(engine_of(other)) as engine, closing(engine_of(source)) as home:
        image = home.get_image(before["Image"])
        engine.load_image(b"".join(image))
        engine.create_container(before["Image"], name=f"nova-{moved.server}")
        try:
            moved.migrate()
            _settle(moved)
        finally:
            engine.remove_container(f"nova-{moved.server}", force=True)
            engine.remove_image(before["Image"], force=True)
    after = moved.container(source)
    assert after is not None
    assert after["State"]["StartedAt"] == before["State"]["StartedAt"]
    moved.assert_alone_on(source)


def _settle(moved: Moved) -> None:
    """Wait until the move is given up."""

    def ended() -> bool:
        found = moved.site.admin.compute.migrations(instance_uuid=moved.server)
        return any(each.status in ("error", "failed") for each in found)

    until(ended, "the move to be given up", MOVE)
    moved.site.wait(moved.server, "ACTIVE", MOVE)


@pytest.mark.parametrize("side", ["source", "destination"])
def test_a_death_in_the_middle_leaves_the_server_on_its_host(moved: Moved, side: str) -> None:
    """A nova-compute killed while files are sent leaves the server whole on its old host."""
    source, other = moved.host, moved.other
    moved.run("dd if=/dev/urandom of=/root/big bs=1M count=400 2>/dev/null")
    moved.migrate()
    until(lambda: moved.container(other), "the server to begin to arrive", MOVE)
    os.kill(moved.site.pid(service_of(source if side == "source" else other)), signal.SIGKILL)
    moved.site.wait(moved.server, "ACTIVE", MOVE)
    until(lambda: _runs(moved, source), "the server to run", MOVE)
    moved.assert_alone_on(source)
    _assert_whole(moved)


def _runs(moved: Moved, host: ComputeHost) -> bool:
    found: Callable[[ComputeHost], Any] = moved.container
    container = found(host)
    return bool(container and container["State"]["Running"])
