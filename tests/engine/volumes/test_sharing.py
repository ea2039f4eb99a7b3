# SPDX-License-Identifier: Apache-2.0
"""Volumes of several servers, read-only, extended, of files: what a device can be besides."""

import os
from dataclasses import replace
from typing import Any

import pytest

from novadocker.errors import VolumeError
from novadocker.virt.docker.engine import Container
from tests.engine.volumes.conftest import SIZE, Storage, command


def run(servers: Any, script: str) -> str:
    """Run a script of the shell in the server and return what it printed."""
    code, output = servers.engine.run(servers.asked.container, ("/bin/sh", "-c", script))
    return f"{code} {bytes(output).decode()}"


@pytest.fixture
def container(servers: Any) -> Container:
    """A server that runs."""
    return servers.boot("exec sleep 600")


def test_servers_of_one_host_share_a_volume(
    servers: Any, storage: Storage, container: Container
) -> None:
    """One file system, mounted twice; its device goes with the last of them."""
    first = storage.attachment(servers.asked.uuid, storage.device(), "/data2")
    storage.attach(container, first)
    run(servers, "echo one > /data2/file")
    one = servers.asked
    second_container = servers.boot("exec sleep 600", uuid="2f6d0d2c-0000-4000-8000-000000000002")
    second = replace(first, instance=servers.asked.uuid)
    storage.attach(second_container, second)
    assert run(servers, "cat /data2/file; echo two >> /data2/file") == "0 one\n"
    storage.volumes.detach(second.instance, second.volume, second_container)
    servers.asked = one
    assert run(servers, "cat /data2/file") == "0 one\ntwo\n"
    storage.volumes.detach(first.instance, first.volume, container)


def test_a_read_only_volume_is_not_written(
    servers: Any, storage: Storage, container: Container
) -> None:
    """Neither by the server nor by the mount itself; afterwards the device is as before."""
    wanted = storage.attachment(servers.asked.uuid, storage.device(), "/data2")
    storage.attach(container, wanted)
    run(servers, "echo kept > /data2/file")
    storage.volumes.detach(wanted.instance, wanted.volume, container)
    device = wanted.connection["data"]["device_path"]
    before = command("sha256sum", device)
    storage.attach(container, replace(wanted, read_only=True))
    assert run(servers, "cat /data2/file; echo more 2>/dev/null >> /data2/file").startswith(
        "1 kept"
    )
    storage.volumes.detach(wanted.instance, wanted.volume, container)
    assert command("sha256sum", device) == before
    assert command("blockdev", "--getro", device) == "0"


def test_an_extended_volume_grows_at_the_latest_at_the_next_start(
    servers: Any, storage: Storage, container: Container
) -> None:
    """At once where the kernel lets us, which a machine may keep from its root."""
    wanted = storage.attachment(servers.asked.uuid, storage.device(), "/data2")
    storage.attach(container, wanted)
    device = wanted.connection["data"]["device_path"]
    backing = command("losetup", "--list", "--noheadings", "--output", "BACK-FILE", device)
    os.truncate(backing, 2 * SIZE)
    command("losetup", "--set-capacity", device)
    grown = storage.volumes.extend(wanted.instance, wanted.volume, container)
    if not grown:
        storage.volumes.detach(wanted.instance, wanted.volume, container)
        storage.attach(container, wanted)
    told = os.statvfs(f"/proc/{container.pid}/root/data2")
    assert told.f_blocks * told.f_frsize > 1.6 * SIZE
    storage.volumes.detach(wanted.instance, wanted.volume, container)


def test_a_file_of_a_share_is_a_loop_device(
    servers: Any, storage: Storage, container: Container
) -> None:
    """As the backends that keep volumes as files hand them out; the loop device goes with it."""
    file = storage.directory / "volume-on-a-share"
    with file.open("wb") as made:
        made.truncate(SIZE)
    wanted = storage.attachment(servers.asked.uuid, str(file), "/data2")
    storage.attach(container, wanted)
    assert run(servers, "echo kept > /data2/file") == "0 "
    assert command("losetup", "--associated", str(file))
    storage.volumes.detach(wanted.instance, wanted.volume, container)
    assert command("losetup", "--associated", str(file)) == ""


def test_a_file_that_is_not_raw_is_refused(
    servers: Any, storage: Storage, container: Container
) -> None:
    """Its bytes are no disk, and nothing here may read another format of a tenant's."""
    wanted = storage.attachment(servers.asked.uuid, "/nowhere", "/data2")
    data = {"device_path": "/nowhere", "format": "qcow2"}
    qcow = replace(wanted, connection={"driver_volume_type": "local", "data": data})
    with pytest.raises(VolumeError, match="qcow2"):
        storage.attach(container, qcow)


def test_a_device_that_the_host_uses_is_refused(
    servers: Any, storage: Storage, container: Container
) -> None:
    """Whatever holds it: two file systems on one device would destroy each other."""
    device = storage.device()
    held = os.open(device, os.O_RDWR | os.O_EXCL)
    try:
        with pytest.raises(VolumeError, match="in use by this host"):
            storage.attach(container, storage.attachment(servers.asked.uuid, device, "/data2"))
    finally:
        os.close(held)
