# SPDX-License-Identifier: Apache-2.0
"""Volumes of servers that run: mounted, written, and let go with proof."""

import subprocess
from typing import Any

import pytest

from novadocker.errors import VolumeBusy, VolumeError
from novadocker.virt.docker.engine import Container
from tests.engine.volumes.conftest import Storage

SLEEPER = "trap exit TERM; sleep 600 & wait"


def run(servers: Any, script: str) -> str:
    """Run a script of the shell in the server and return what it printed."""
    code, output = servers.engine.run(servers.asked.container, ("/bin/sh", "-c", script))
    assert code == 0, output
    return output.decode() if isinstance(output, bytes) else str(output)


@pytest.fixture
def container(servers: Any) -> Container:
    """A server that runs."""
    return servers.boot(SLEEPER)


def test_a_blank_volume_becomes_an_empty_file_system(
    servers: Any, storage: Storage, container: Container
) -> None:
    """A server's root owns it and can write, nobody can set ids or open devices there."""
    wanted = storage.attachment(servers.asked.uuid, storage.device(), "/var/lib/data")
    storage.attach(container, wanted)
    assert run(servers, "ls -a /var/lib/data").split() == [".", ".."]
    assert run(servers, "stat -c %u:%g /var/lib/data") == "0:0\n"
    run(servers, "echo kept > /var/lib/data/file")
    mounts = run(servers, "cat /proc/mounts")
    (line,) = [each for each in mounts.splitlines() if " /var/lib/data " in each]
    assert {"rw", "nosuid", "nodev"} <= {*line.split()[3].split(",")}
    storage.volumes.detach(wanted.instance, wanted.volume, container)
    assert run(servers, "ls -a /var/lib/data").split() == [".", ".."]
    storage.attach(container, wanted)
    assert run(servers, "cat /var/lib/data/file") == "kept\n"
    storage.volumes.detach(wanted.instance, wanted.volume, container)


def test_a_volume_in_use_stays(servers: Any, storage: Storage, container: Container) -> None:
    """A detach names who holds it, and nothing has changed for the server."""
    device = storage.device()
    wanted = storage.attachment(servers.asked.uuid, device, "/volumes/vdb")
    storage.attach(container, wanted)
    holder = subprocess.Popen(
        ["nsenter", "-t", str(container.pid), "-a", "/bin/sh", "-c", "cd /volumes/vdb; sleep 300"]
    )
    try:
        with pytest.raises(VolumeBusy, match=r"(sh|sleep|busybox) \(pid \d+\)"):
            storage.volumes.detach(wanted.instance, wanted.volume, container)
    finally:
        run(
            servers,
            "for each in /proc/[0-9]*; do case $(cat $each/cmdline) in sleep*300) "
            "kill ${each#/proc/};; esac; done",
        )
        holder.wait()
    run(servers, "echo more > /volumes/vdb/file")
    storage.volumes.detach(wanted.instance, wanted.volume, container)


def test_a_removed_server_lets_go(servers: Any, storage: Storage, container: Container) -> None:
    """A container's end is the end of its mounts; then the device is nobody's."""
    wanted = storage.attachment(servers.asked.uuid, storage.device(), "/data2")
    storage.attach(container, wanted)
    with pytest.raises(VolumeBusy):
        storage.volumes.release_all(wanted.instance)
    servers.guest.remove()
    storage.volumes.release_all(wanted.instance)
    assert storage.records.of(wanted.instance) == []


@pytest.mark.parametrize("target", ["/proc", "/etc", "/sys/fs", "/dev"])
def test_a_link_of_the_image_leads_no_mount_astray(
    servers: Any, storage: Storage, container: Container, target: str
) -> None:
    """A place is refused for where its links lead, not for how it is written."""
    run(
        servers,
        f"busybox ln -s {target} /innocent 2>/dev/null || /bin/busybox ln -s {target} /innocent",
    )
    wanted = storage.attachment(servers.asked.uuid, storage.device(), "/innocent")
    with pytest.raises(VolumeError, match="would cover"):
        storage.attach(container, wanted)
    assert storage.records.of(wanted.instance) == []
