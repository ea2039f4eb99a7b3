# SPDX-License-Identifier: Apache-2.0
"""Nova's calls of a resize, in the order in which it makes them."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nova import exception, objects

from novadocker import errors
from novadocker.virt.docker.volumes.ephemeral import EphemeralDisks
from tests.unit.virt.docker.nova_side import UUID, Life, instance, with_parts

MIGRATION = "8dd5b2c2-0c8a-4a9c-9a53-2a4c0c3a7d11"


def _migration(source: str, destination: str) -> objects.Migration:
    return objects.Migration(uuid=MIGRATION, source_compute=source, dest_compute=destination)


@pytest.fixture
def resized(docker_driver: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """How to begin the resize of a server to a host and a flavor."""

    def begin(host: str = "h1", **flavor: Any) -> None:
        migration = objects.Migration(dest_compute=host, uuid=MIGRATION)
        monkeypatch.setattr(objects.Migration, "get_by_id_and_instance", lambda *_: migration)
        it = instance(
            migration_context=objects.MigrationContext(migration_id=1, new_numa_topology=None)
        )
        wanted = objects.Flavor(
            **({"vcpus": 4, "memory_mb": 64, "root_gb": 5, "swap": 0, "extra_specs": {}} | flavor)
        )
        docker_driver.migrate_disk_and_power_off(None, it, "192.0.2.1", wanted, [], timeout=9)

    return begin


def test_a_resize_begins_with_the_flavor_that_comes(resized: Any, life: Life) -> None:
    """The instance has its old one until Nova finishes the resize."""
    resized()
    (call,) = life.calls
    server = call.server
    assert (call.action, server.uuid, call.timeout) == ("Resize.prepare", UUID, 9)
    assert (server.flavor.vcpus, server.flavor.memory_mib) == (4, 64)


def test_a_resize_to_another_host_sends_the_server(
    docker_driver: Any, resized: Any, life: Life
) -> None:
    """A migration to another host hands the server, with its new flavor, to the departures."""
    asked: list[Any] = []
    with_parts(docker_driver, channel=SimpleNamespace(to=lambda *told: asked.append(told) or "h2"))
    resized(host="h2")
    (call,) = life.calls
    assert (call.action, call.destination, call.migration, call.timeout) == (
        "Departures.send",
        "h2",
        MIGRATION,
        9,
    )
    assert call.server.flavor.vcpus == 4
    assert asked[0][0] == "h2"


def test_a_server_does_not_leave_its_ephemeral_disks_behind(
    docker_driver: Any, resized: Any, life: Life, tmp_path: Path
) -> None:
    """A move to another host is refused while the server still runs, with what is in the way."""
    disks = EphemeralDisks(tmp_path)
    disks.ensure(UUID, 0, 1)
    with_parts(docker_driver, ephemeral_disks=disks)
    with pytest.raises(exception.InstanceFaultRollback, match="ephemeral disks are files of"):
        resized(host="h2")
    assert life.calls == []


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"ephemeral_gb": 1}, "a flavor whose ephemeral disk has the size"),
        ({"extra_specs": {"hw:cpu_policy": "dedicated"}}, "hw:cpu_policy = dedicated"),
        ({"extra_specs": {"pci_passthrough:alias": "gpu:1"}}, "no devices of the host"),
    ],
)
def test_a_resize_that_cannot_be_is_rolled_back(
    resized: Any, life: Life, asked: dict[str, Any], said: str
) -> None:
    """Nova lets the server be what it was, and shows the reason."""
    with pytest.raises(exception.InstanceFaultRollback) as raised:
        resized(**asked)
    assert said in raised.value.inner_exception.format_message()
    assert life.calls == []


def test_a_resize_that_fails_at_its_begin_is_rolled_back(resized: Any, life: Life) -> None:
    """The server runs as before by then."""
    life.fault = errors.ResizeRefused(reason="its files take 9 GiB")
    with pytest.raises(exception.InstanceFaultRollback, match="9 GiB"):
        resized()


@pytest.mark.parametrize("power_on", [True, False])
def test_a_resize_ends_with_the_flavor_that_the_instance_has(
    docker_driver: Any, life: Life, power_on: bool
) -> None:
    """Nova has given it the new one, or in a revert the old one, by then."""
    it = instance()
    docker_driver.finish_migration(
        None, None, it, "", [], it.image_meta, True, {}, power_on=power_on
    )
    docker_driver.finish_revert_migration(None, it, [], None, power_on=power_on)
    assert [(call.action, call.server.flavor.vcpus, call.power_on) for call in life.calls] == [
        ("Resize.finish", 2, power_on),
        ("Resize.revert", 2, power_on),
    ]


def test_a_confirmed_resize_gives_up_the_original(docker_driver: Any, life: Life) -> None:
    """Until then a revert brings the original container back."""
    docker_driver.confirm_migration(None, _migration("h1", "h1"), instance(), [])
    assert [(call.action, call.uuid) for call in life.calls] == [("Resize.confirm", UUID)]


def test_a_confirmed_move_removes_the_copy_of_the_source(docker_driver: Any, life: Life) -> None:
    """The source gives up its stopped container without touching the destination's ports."""
    docker_driver.confirm_migration(None, _migration("h1", "h2"), instance(), [{"id": "p1"}])
    (call,) = life.calls
    assert (call.action, call.uuid, list(call.network.info)) == ("Lifecycle.remove", UUID, [])


def test_a_revert_ends_the_process_and_keeps_the_files(docker_driver: Any, life: Life) -> None:
    """Nova destroys what it calls the destination, without disks where they are shared."""
    docker_driver.destroy(None, instance(), [], destroy_disks=False)
    stop, release = life.calls
    assert (stop.action, stop.uuid, stop.timeout) == ("Lifecycle.stop", UUID, 60)
    assert (release.action, release.uuid) == ("VolumeChanges.release", UUID)  # Nova reconnects


@pytest.mark.parametrize(("host", "shared"), [("h1", True), ("h2", False)])
def test_only_a_host_shares_its_own_disks(docker_driver: Any, host: str, shared: bool) -> None:
    """Source and destination of a resize are the same host, those of an evacuation are not."""
    told = docker_driver.check_instance_shared_storage_local(None, instance())
    with_parts(docker_driver, hostname=host)
    assert docker_driver.check_instance_shared_storage_remote(None, told) is shared
