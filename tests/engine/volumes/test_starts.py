# SPDX-License-Identifier: Apache-2.0
"""Volumes over the life of a server: each start mounts them before the first instruction."""

from pathlib import Path
from typing import Any

import pytest

from novadocker.errors import VolumeBusy, VolumeError, VolumeRefused
from novadocker.virt.docker.volumes.attachments import Volumes
from novadocker.virt.docker.volumes.records import Records
from novadocker.virt.docker.volumes.values import Attachment
from tests.engine.virt.test_rescue import rescue
from tests.engine.volumes.conftest import Storage, command

FIRST = "cat /volumes/vdb/file; ls /volumes/vdb; exec sleep 600"


@pytest.fixture
def kept(servers: Any, storage: Storage) -> Attachment:
    """A volume of a server that is stopped, with a file in it."""
    container = servers.boot("exec sleep 600")
    wanted = storage.attachment(servers.asked.uuid, storage.device(), "/volumes/vdb")
    volumes = servers.volumes
    volumes.attach(wanted, container, lambda: (0, 0))
    servers.engine.run(servers.asked.container, ("/bin/sh", "-c", "echo kept >/volumes/vdb/file"))
    return wanted


def test_a_program_finds_its_volume_when_it_begins(servers: Any, kept: Attachment) -> None:
    """After a restart nothing of the image has run before the mount."""
    servers.actions.lifecycle.remove(servers.asked.uuid, servers.network)
    servers.volumes.expect(kept)
    servers.boot(FIRST)
    servers.wait_for("kept")
    servers.actions.lifecycle.restart(servers.asked, servers.network, 0)
    servers.wait_for(
        "kept\r\nfile\r\nkept" if b"\r\n" in servers.guest.console() else "kept\nfile\nkept"
    )
    servers.actions.lifecycle.remove(servers.asked.uuid, servers.network)


def test_a_removed_server_leaves_no_record(servers: Any, kept: Attachment) -> None:
    """Its device is proved to be nobody's in between."""
    servers.actions.lifecycle.remove(servers.asked.uuid, servers.network)
    assert servers.volumes.find(kept.instance, kept.volume) is None


def test_a_server_whose_volume_went_bad_does_not_run(servers: Any, kept: Attachment) -> None:
    """A start fails with the reason, and the program has not run without its data."""
    servers.actions.lifecycle.stop(servers.asked.uuid, servers.network, 0)
    device = kept.connection["data"]["device_path"]
    command("dd", "if=/dev/urandom", f"of={device}", "bs=64k", "count=4", "conv=fsync")
    with pytest.raises(VolumeRefused, match="nothing was changed"):
        servers.actions.lifecycle.start(servers.asked, servers.network)
    assert not servers.guest.get().alive
    servers.actions.lifecycle.remove(servers.asked.uuid, servers.network)


def test_a_stand_in_sees_the_volumes(servers: Any, kept: Attachment) -> None:
    """Below /rescue, as the server's other files; afterwards the server has them again."""
    uuid = servers.asked.uuid
    rescue(servers, "exec sleep 600")
    code, output = servers.engine.run(f"nova-{uuid}-rescue", ("cat", "/rescue/volumes/vdb/file"))
    assert (code, bytes(output)) == (0, b"kept\n")
    servers.actions.lifecycle.start(servers.asked, servers.network)
    code, output = servers.engine.run(servers.asked.container, ("cat", "/volumes/vdb/file"))
    assert (code, bytes(output)) == (0, b"kept\n")
    servers.actions.lifecycle.remove(uuid, servers.network)


def test_a_device_that_vanished_is_an_error(servers: Any, storage: Storage) -> None:
    """Nothing is kept of an attachment to a device that is not there."""
    container = servers.boot("exec sleep 600")
    wanted = storage.attachment(servers.asked.uuid, "/dev/loop9999", "/data2")
    with pytest.raises(VolumeError, match="cannot be connected"):
        storage.attach(container, wanted)
    assert storage.records.of(wanted.instance) == []


def test_a_record_outlives_the_service(servers: Any, kept: Attachment, instances: Path) -> None:
    """Whoever comes next lets go of what was connected."""
    assert Records(instances / "volumes").find(kept.instance, kept.volume)
    servers.actions.lifecycle.remove(servers.asked.uuid, servers.network)


def test_a_resize_that_is_refused_has_its_volumes_back(
    servers: Any, storage: Storage, kept: Attachment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two volumes one was let go already: the server runs on with both."""
    busy = storage.attachment(servers.asked.uuid, storage.device(), "/volumes/vdc")
    servers.volumes.attach(busy, servers.guest.get(), lambda: (0, 0))
    alone = Volumes._release_alone

    def release(volumes: Volumes, attachment: Attachment) -> None:
        if attachment.volume == busy.volume:
            raise VolumeBusy(volume=busy.volume, holders="somebody")
        alone(volumes, attachment)

    monkeypatch.setattr(Volumes, "_release_alone", release)
    with pytest.raises(VolumeBusy):
        servers.actions.resize.prepare(servers.asked, servers.network, 0)
    monkeypatch.undo()
    _, mounts = servers.engine.run(servers.asked.container, ("/bin/cat", "/proc/mounts"))
    assert b" /volumes/vdb " in bytes(mounts)
    assert b" /volumes/vdc " in bytes(mounts)
    servers.actions.lifecycle.remove(servers.asked.uuid, servers.network)
