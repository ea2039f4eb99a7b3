# SPDX-License-Identifier: Apache-2.0
"""Ephemeral disks: file systems of a size, on files of the host."""

from pathlib import Path
from typing import Any

import pytest

from novadocker.virt.docker.volumes.attachments import Volumes
from novadocker.virt.docker.volumes.connector import Connector
from novadocker.virt.docker.volumes.ephemeral import EphemeralDisks
from novadocker.virt.docker.volumes.values import Attachment, Trust
from tests.engine.volumes.conftest import Storage, command, identity

GIB = 1 << 30


def run(servers: Any, script: str) -> tuple[int, bytes]:
    """Run a script in a server."""
    code, output = servers.engine.run(servers.asked.container, ("/bin/sh", "-c", script))
    return code, bytes(output)


def disk_of(servers: Any) -> Attachment:
    """Return the disk of 1 GiB of a server."""
    disks = EphemeralDisks(servers.instances / "ephemeral")
    return disks.ensure(servers.asked.uuid, 0, 1)


@pytest.fixture
def disk(servers: Any) -> Attachment:
    """A disk of 1 GiB that a server has from its first instruction on."""
    made = disk_of(servers)
    servers.volumes.expect(made)
    servers.boot("echo first >>/ephemeral0/file; exec sleep 600")
    return made


@pytest.mark.usefixtures("storage")
def test_a_disk_has_the_size_of_its_flavor(servers: Any, disk: Attachment) -> None:
    """A server's disk is as large as was asked, and its file takes no more than its content."""
    code, output = run(servers, "stat -f -c '%b %S' /ephemeral0")
    blocks, size = map(int, output.split())
    assert code == 0
    assert 0.9 * GIB < blocks * size <= GIB
    assert Path(disk.connection["data"]["device_path"]).stat().st_blocks * 512 < GIB / 8
    servers.actions.lifecycle.remove(servers.asked.uuid, servers.network)


@pytest.mark.usefixtures("storage")
def test_a_disk_stays_through_restarts_and_goes_with_its_server(
    servers: Any, disk: Attachment
) -> None:
    """A server finds its files again after a restart, and its removal leaves neither of them."""
    servers.actions.lifecycle.restart(servers.asked, servers.network, 0)
    assert run(servers, "cat /ephemeral0/file") == (0, b"first\nfirst\n")
    servers.actions.lifecycle.remove(servers.asked.uuid, servers.network)
    file = disk.connection["data"]["device_path"]
    assert not Path(file).parent.exists()
    assert file not in command("losetup", "--list", "--output", "BACK-FILE")


def test_a_disk_is_the_hosts_own_where_volumes_are_refused(servers: Any, storage: Storage) -> None:
    """A server has its disk also where the operator accepts no volume at all."""
    volumes = Volumes(storage.records, Connector(identity), Trust.NONE)
    container = servers.boot("exec sleep 600")
    volumes.attach(disk_of(servers), container, lambda: (0, 0))
    assert run(servers, "ls /ephemeral0") == (0, b"")
    servers.engine.remove(servers.asked.container)
    volumes.release_all(servers.asked.uuid)
    servers.actions.lifecycle.remove(servers.asked.uuid, servers.network)
