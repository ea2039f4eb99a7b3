# SPDX-License-Identifier: Apache-2.0
"""Nova's volume calls: refused before anything changes, or handed to the actions."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nova import exception

from novadocker.errors import VolumeBusy, VolumeRefused
from novadocker.virt.docker.compute import volumes as calls
from novadocker.virt.docker.translation import volumes as translation
from novadocker.virt.docker.volumes.ephemeral import EphemeralDisks
from tests.unit.virt.docker.nova_side import Life, instance

VOLUME = "0f0f0000-0000-4000-8000-000000000001"
CONNECTION = {"driver_volume_type": "local", "serial": VOLUME, "data": {"access_mode": "rw"}}


class Cinder:
    """Cinder with one volume."""

    def __init__(self) -> None:
        """Begin with one that can be had."""
        self.volume: dict[str, Any] = {"id": VOLUME, "volume_metadata": {}}

    def get(self, context: Any, volume: str) -> dict[str, Any]:
        """Return it."""
        return self.volume


@pytest.fixture
def cinder(monkeypatch: pytest.MonkeyPatch) -> Cinder:
    """Cinder, and an attachment without a tag."""
    made = Cinder()
    monkeypatch.setattr(calls.cinder, "API", lambda: made)
    monkeypatch.setattr(translation, "tag_of", lambda *_: None)
    return made


def mapping(**changes: Any) -> Any:
    """Return Nova's wish for an attachment."""
    values = {"is_volume": True, "volume_id": VOLUME, "boot_index": None, "tag": None}
    return SimpleNamespace(_context=None, **(values | changes))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"encrypted": True}, "encrypted volumes are not for containers"),
        ({"volume_metadata": {"docker_mount_point": "/proc"}}, "would cover /proc"),
        ({"volume_metadata": {"docker_mount_point": "data"}}, "not an absolute path"),
        ({"attachments": {"elsewhere": {}}}, "server elsewhere has it on another host"),
    ],
)
def test_a_bad_wish_is_refused_while_the_caller_waits(
    docker_driver: Any, cinder: Cinder, changes: dict[str, Any], word: str
) -> None:
    """By the error that Nova's API answers with 400, and its reason."""
    cinder.volume |= changes
    with pytest.raises(exception.InvalidInput, match=word):
        docker_driver.get_device_name_for_instance(instance(), [], mapping())


@pytest.mark.parametrize(
    "wish", [mapping(), mapping(tag="data"), mapping(is_volume=False), mapping(volume_id=None)]
)
def test_a_name_is_novas_choice(docker_driver: Any, cinder: Cinder, wish: Any) -> None:
    """Where nothing speaks against a volume, and for local disks."""
    with pytest.raises(NotImplementedError):
        docker_driver.get_device_name_for_instance(instance(), [], wish)
    assert docker_driver.default_root_device_name(None, None, None) == "/dev/vda"


def test_a_read_only_volume_may_be_elsewhere_too(docker_driver: Any, cinder: Cinder) -> None:
    """Nobody writes there."""
    cinder.volume |= {"attachments": {"elsewhere": {}}, "volume_metadata": {"readonly": "True"}}
    with pytest.raises(NotImplementedError):
        docker_driver.get_device_name_for_instance(instance(), [], mapping())


def test_an_attachment_reaches_the_server(docker_driver: Any, life: Life, cinder: Cinder) -> None:
    """With its place and Cinder's way to it; a refusal is Nova's InvalidVolume."""
    cinder.volume["volume_metadata"] = {"docker_mount_point": "/srv"}
    docker_driver.attach_volume(None, CONNECTION, instance(), "/dev/vdb")
    (call,) = life.calls
    assert call.action == "VolumeChanges.attach"
    assert (call.wanted.place, call.wanted.connection) == ("/srv", CONNECTION)
    life.fault = VolumeRefused(volume=VOLUME, reason="it holds a LUKS header")
    with pytest.raises(exception.InvalidVolume, match="LUKS"):
        docker_driver.attach_volume(None, CONNECTION, instance(), "/dev/vdb")


@pytest.mark.parametrize(("flag", "read_only"), [("True", True), ("False", False)])
def test_cinders_flag_makes_a_volume_read_only(
    docker_driver: Any, life: Life, cinder: Cinder, flag: str, read_only: bool
) -> None:
    """A tenant's connection is called "rw" whatever the volume's flag says."""
    cinder.volume["volume_metadata"] = {"readonly": flag}
    docker_driver.attach_volume(None, CONNECTION, instance(), "/dev/vdb")
    (call,) = life.calls
    assert call.wanted.read_only is read_only


def test_a_busy_volume_stays_attached(docker_driver: Any, life: Life) -> None:
    """By the one error after which Nova says so to Cinder."""
    life.fault = VolumeBusy(volume=VOLUME, holders="mysqld (pid 1)")
    with pytest.raises(exception.DeviceDetachFailed, match="mysqld"):
        docker_driver.detach_volume(None, CONNECTION, instance(), "/dev/vdb")


def test_a_volume_without_a_connection_is_found_by_its_device(
    docker_driver: Any, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An attachment that nova-compute died in can be detached: Nova's record names the volume."""
    known = [
        SimpleNamespace(device_name="/dev/vda", volume_id=None),
        SimpleNamespace(device_name="/dev/vdb", volume_id=VOLUME),
    ]
    mappings = translation.objects.BlockDeviceMappingList
    monkeypatch.setattr(mappings, "get_by_instance_uuid", lambda *_: known)
    docker_driver.detach_volume(None, {}, instance(device_metadata=None), "/dev/vdb")
    (call,) = life.calls
    assert (call.action, call.volume) == ("VolumeChanges.detach", VOLUME)


class Connected:
    """Volumes of a host, of which nothing but the records is real."""

    def __init__(self) -> None:
        """Begin with none."""
        self.known: dict[str, Any] = {}
        self.calls: list[str] = []

    def find(self, instance: str, volume: str) -> Any:
        """Return an attachment, or None."""
        return self.known.get(volume)

    def expect(self, wanted: Any) -> None:
        """Note a new connection."""
        self.calls.append(f"expect {wanted.place}")
        self.known[wanted.volume] = wanted

    def reconnect(self, known: Any, connection: Any) -> None:
        """Note a connection that is looked after."""
        self.calls.append(f"reconnect {known.place}")


def test_a_start_connects_ephemeral_disks(docker_driver: Any, life: Life, tmp_path: Path) -> None:
    """Each disk of Nova's list is a file of its size at the first start, and the same later."""
    volumes: Any = Connected()
    disks = EphemeralDisks(tmp_path)
    docker_driver._parts = replace(docker_driver._parts, volumes=volumes, ephemeral_disks=disks)
    info = {"ephemerals": [{"size": 1, "guest_format": None}, {"size": 2, "guest_format": "ext4"}]}
    for _ in range(2):
        docker_driver.power_on(None, instance(), [], info)
    first = ["expect /ephemeral0", "expect /ephemeral1"]
    assert volumes.calls == [*first, "reconnect /ephemeral0", "reconnect /ephemeral1"]
    sizes = sorted(file.stat().st_size >> 30 for file in tmp_path.glob("*/ephemeral*"))
    assert sizes == [1, 2]
    assert [call.action for call in life.calls] == ["Lifecycle.start"] * 2
