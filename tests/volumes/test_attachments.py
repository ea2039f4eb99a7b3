# SPDX-License-Identifier: Apache-2.0
"""Volumes attached to servers and detached from them, with every kind of backend."""

import subprocess

import pytest
from openstack.exceptions import BadRequestException

from novadocker.cloud.storage import share
from tests.support.cloud_site import Site, Tenant, until
from tests.volumes.conftest import FILE, PLACE, Volumes, read, write

TYPES = ("files", "nfs")
# SDK and client take the newest version by themselves; the caller waits until this one.
WAITING = {"microversion": "2.100"}


@pytest.mark.parametrize("kind", TYPES)
def test_a_volume_comes_and_goes_and_keeps_its_data(
    site: Site, server: str, volumes: Volumes, kind: str
) -> None:
    """A running server gets a volume at once and again later, with every backend."""
    volume = volumes.make(kind, docker_mount_point=PLACE)
    volumes.attach(server, volume)
    write(site, server, "kept")
    volumes.detach(server, volume)
    assert site.run(server, "ls", PLACE) == ""
    assert volumes.remains(volume) == []
    volumes.attach(server, volume)
    assert read(site, server) == "kept"
    volumes.detach(server, volume)


def test_a_paused_server_has_its_volume_when_it_goes_on(
    site: Site, server: str, volumes: Volumes
) -> None:
    """A volume comes to a paused server and leaves another time while the server is paused."""
    volume, compute = volumes.make(docker_mount_point=PLACE), site.demo.compute
    compute.pause_server(server)
    site.wait(server, "PAUSED")
    volumes.attach(server, volume)
    compute.unpause_server(server)
    site.wait(server, "ACTIVE")
    write(site, server, "kept")
    compute.pause_server(server)
    site.wait(server, "PAUSED")
    volumes.detach(server, volume)
    compute.unpause_server(server)
    site.wait(server, "ACTIVE")
    assert site.run(server, "ls", PLACE) == ""


def test_a_stopped_server_has_its_volume_from_its_start_on(
    site: Site, server: str, volumes: Volumes
) -> None:
    """A volume comes to a stopped server and leaves another time while the server is stopped."""
    volume, compute = volumes.make(docker_mount_point=PLACE), site.demo.compute
    compute.stop_server(server)
    site.wait(server, "SHUTOFF")
    volumes.attach(server, volume)
    compute.start_server(server)
    site.wait(server, "ACTIVE")
    write(site, server, "kept")
    compute.stop_server(server)
    site.wait(server, "SHUTOFF")
    volumes.detach(server, volume)
    compute.start_server(server)
    site.wait(server, "ACTIVE")
    assert site.run(server, "ls", PLACE) == ""


def test_a_tag_names_the_mount_point_where_the_volume_does_not(
    site: Site, server: str, volumes: Volumes
) -> None:
    """A volume is found below /volumes by the tag of its attachment, else by its device's name."""
    tagged, plain = volumes.make(), volumes.make()
    volumes.attach(server, tagged, tag="database")
    volumes.attach(server, plain)
    mounts = site.run(server, "cat", "/proc/mounts")
    assert " /volumes/database ext4 " in mounts
    assert " /volumes/vd" in mounts
    for volume in (tagged, plain):
        volumes.detach(server, volume)
    assert "/volumes/" not in site.run(server, "cat", "/proc/mounts")


def test_a_volume_in_use_is_not_detached(site: Site, server: str, volumes: Volumes) -> None:
    """A busy volume stays attached, its holder is named, and later it goes."""
    volume = volumes.make(docker_mount_point=PLACE)
    volumes.attach(server, volume)
    site.run(server, "sh", "-c", f"cd {PLACE}; sleep 40 >/dev/null 2>&1 & echo $! >/tmp/holder")
    site.demo.compute.delete_volume_attachment(server, volume)
    assert "sleep (pid " in site.refusal(server, "detach_volume")
    volumes.wait(volume, "in-use")
    write(site, server, "still here")
    site.run(server, "sh", "-c", "kill $(cat /tmp/holder)")
    volumes.detach(server, volume)


def test_a_bad_place_is_refused_while_the_caller_waits(
    site: Site, server: str, volumes: Volumes
) -> None:
    """The API answers with the reason, and the volume can be had by others at once."""
    volume = volumes.make(docker_mount_point="/proc/sys")
    with pytest.raises(BadRequestException, match="would cover /proc"):
        site.demo.compute.create_volume_attachment(server, volume_id=volume)
    volumes.wait(volume, "available")


def test_a_hostile_file_system_is_refused(site: Site, server: str, volumes: Volumes) -> None:
    """A volume with a file system that e2fsck finds damaged is refused, and let go whole."""
    volume = volumes.make(docker_mount_point=PLACE)
    file = share.directory(site.layout) / f"files/volume-{volume}"
    subprocess.run(["mkfs.ext4", "-q", "-F", str(file)], check=True)
    subprocess.run(["debugfs", "-w", "-R", "clri <2>", str(file)], check=True, capture_output=True)
    site.demo.compute.create_volume_attachment(server, volume_id=volume)
    assert "e2fsck" in site.refusal(server, "attach_volume")
    volumes.wait(volume, "available")
    assert PLACE not in site.run(server, "cat", "/proc/mounts")


def test_a_partitioned_volume_is_refused_by_name(site: Site, server: str, volumes: Volumes) -> None:
    """A volume with data of another kind is refused, named, and not changed."""
    volume = volumes.make(docker_mount_point=PLACE)
    file = share.directory(site.layout) / f"files/volume-{volume}"
    with file.open("r+b") as opened:
        opened.write(bytes(510) + b"\x55\xaaEFI PART")
    site.demo.compute.create_volume_attachment(server, volume_id=volume)
    assert "a GPT partition table" in site.refusal(server, "attach_volume")
    volumes.wait(volume, "available")
    assert file.read_bytes()[:520] == bytes(510) + b"\x55\xaaEFI PART"


def test_a_read_only_volume_is_not_written(site: Site, server: str, volumes: Volumes) -> None:
    """A volume that Cinder calls read-only is read in a server, and writes are refused there."""
    volume = volumes.make(docker_mount_point=PLACE)
    volumes.attach(server, volume)
    write(site, server, "kept")
    volumes.detach(server, volume)
    site.demo.block_storage.set_volume_readonly(volume, True)
    volumes.attach(server, volume)
    assert read(site, server) == "kept"
    with pytest.raises(AssertionError, match="Read-only file system"):
        site.run(server, "touch", FILE)
    volumes.detach(server, volume)


def test_servers_of_one_host_share_a_volume(
    site: Site, tenant: Tenant, web: str, server: str, volumes: Volumes
) -> None:
    """A multiattach volume shows one server what another writes, and ends with the last."""
    volume = volumes.make("multiattach", docker_mount_point=PLACE)
    other = tenant.boot(web)
    volumes.attach(server, volume)
    site.demo.compute.create_volume_attachment(other, volume_id=volume)
    until(lambda: PLACE in site.run(other, "cat", "/proc/mounts"), "the second mount")
    write(site, server, "shared")
    assert read(site, other) == "shared"
    until(lambda: len(site.admin.block_storage.get_volume(volume).attachments) == 2, "both")
    volumes.detach(server, volume, left="in-use")
    assert read(site, other) == "shared"
    volumes.detach(other, volume)


def test_an_attached_volume_is_extended(site: Site, server: str, volumes: Volumes) -> None:
    """A volume that Cinder extends has its new size at the next start at the latest."""
    volume = volumes.make(docker_mount_point=PLACE)
    volumes.attach(server, volume)
    write(site, server, "kept")
    site.demo.block_storage.extend_volume(volume, 2)
    until(lambda: site.demo.block_storage.get_volume(volume).size == 2, "the volume to grow")
    volumes.wait(volume, "in-use")
    site.demo.compute.reboot_server(server, "HARD")
    site.wait(server, "ACTIVE")
    blocks, size = site.run(server, "stat", "-f", "-c", "%b %S", PLACE).split()
    assert int(blocks) * int(size) > 1.8 * (1 << 30)
    assert read(site, server) == "kept"
    volumes.detach(server, volume)
