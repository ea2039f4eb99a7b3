# SPDX-License-Identifier: Apache-2.0
"""nova-compute of the kills: the whole driver on a real engine, with Nova's own way to call it.

Doubles stand for Nova's database, Neutron and Glance. The start of the service is Nova's own
code; so is the order of its calls for each action.
"""

import contextlib
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from nova import context as nova_context
from nova import exception, objects
from nova.compute import manager, power_state, vm_states
from nova.compute import utils as compute_utils
from nova.objects.image_meta import ImageMeta
from nova.virt import fake

from novadocker.virt.docker import driver as module
from novadocker.virt.docker.compute.assembly import assemble, edges_of
from novadocker.virt.docker.compute.networks import trunks
from novadocker.virt.docker.conf import options
from novadocker.virt.docker.driver import CONF, DockerDriver
from novadocker.virt.docker.files import privileged as files
from novadocker.virt.docker.images import Images
from novadocker.virt.docker.privileged import context as daemon
from novadocker.virt.docker.translation.image_wait import WaitingServer
from novadocker.virt.docker.wiring import Wiring
from novadocker.virt.docker.wiring.backends.tap import Tap
from tests.engine.kills.nova_record import HOST, IMAGE, MIGRATION, Database, Record
from tests.support.doubles.glance_double import ALICE, Glance, Stored

SNAPSHOT = "5a900000-0000-4000-8000-000000000003"
Reach = Callable[[str], None]


class KillableGlance(Glance):
    """Glance with one image and a place for snapshots.

    Args:
        data: bytes of the image.
        reach: comes to a fault point.
    """

    def __init__(self, data: bytes, reach: Reach) -> None:
        super().__init__()
        self.images[IMAGE] = Stored(data, ALICE, {ALICE})
        self._reach = reach

    def get(self, context: Any, image_id: str) -> dict[str, Any]:
        """Show an image; a snapshot has no data yet."""
        return {"properties": {}} if image_id == SNAPSHOT else super().get(context, image_id)

    def download(self, context: Any, image_id: str) -> Iterator[bytes]:
        """Give all of an image, in three parts."""
        data = self.images[image_id].data
        third = len(data) // 3 + 1  # so that a death comes before, in and after the layer
        for at in range(0, len(data), third):
            self._reach(f"Glance sends from {at}")
            yield data[at : at + third]

    def update(
        self, context: Any, image_id: str, account: Any, data: Any = None, **_: Any
    ) -> dict[str, Any]:
        """Take a snapshot's data, or properties."""
        size = 0
        self._reach(f"Glance takes {'properties' if data is None else 'data'}")
        while data is not None and (piece := data.read(1 << 20)):
            self._reach(f"Glance takes from {size}")
            size += len(piece)
        return {"size": size, "checksum": "0" * 32}

    def delete(self, context: Any, image_id: str) -> None:
        """Forget a snapshot."""


class Neutron(fake.FakeVirtAPI):  # type: ignore[misc]
    """Nova's side, whose events of ports come at once."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    @contextlib.contextmanager
    def wait_for_instance_event(self, *_: Any, **__: Any) -> Iterator[None]:
        """Come to a fault point where the wait ends."""
        yield
        self._reach("Neutron's event")

    def list_trunks(self, **_: Any) -> dict[str, Any]:
        """Have no trunks."""
        return {"trunks": []}


class NoTags:
    """Tags of servers that keep none."""

    def of(self, uuid: str) -> frozenset[str]:
        """Return none."""
        return frozenset()

    def add(self, uuid: str, tag: str) -> None:
        """Keep nothing."""

    def remove(self, uuid: str, tag: str) -> None:
        """Keep nothing."""


def configure(root: Path, engine: str) -> None:
    """Set nova.conf for a host whose files are below a directory."""
    options.register(CONF)
    CONF.set_override("host_url", engine, group="docker")
    CONF.set_override("instances_path", str(root / "instances"))
    CONF.set_override("state_path", str(root / "state"))
    CONF.set_override("host", HOST)
    CONF.set_override("my_ip", "127.0.0.1")
    # The server's program heeds no signal to stop, as a first process without a handler.
    CONF.set_override("shutdown_timeout", 1)
    # Privileged calls are made in the process itself: the daemon would survive the kill and end
    # the call in peace.
    for each in (daemon, files):
        each.context.set_client_mode(False)


class ComputeService:
    """One process of nova-compute.

    Args:
        database: Nova's record of the server.
        image: bytes of the server's image.
        reach: comes to a fault point.
    """

    def __init__(self, database: Database, image: bytes, reach: Reach) -> None:
        self.database = database
        self._glance = KillableGlance(image, reach)
        virtapi = Neutron(reach)
        # Before the driver is made: its parts take functions of Nova's modules with them.
        _double_nova(database, virtapi)
        edges = edges_of(CONF)
        # Whole images alone: parts of an image need ranges of a Glance that is spoken to by HTTP.
        images = Images(edges.engine, self._glance)  # type: ignore[arg-type]
        changed = replace(
            edges,
            glance=self._glance,
            images=images,
            wiring=Wiring({"tap": Tap()}),
            tags=NoTags(),
        )
        # Other hosts and their messages have no part in the life of one server.
        silent: Any = SimpleNamespace(start=lambda: None, stop=lambda: None)
        parts = replace(assemble(CONF, virtapi, changed), channel=silent)
        self.driver = DockerDriver(virtapi, parts)
        self.engine = edges.engine
        self.context = nova_context.RequestContext(user_id="u1", project_id="p1", is_admin=True)
        self.context.user = ALICE

    @property
    def record(self) -> Record:
        """Nova's record now."""
        return self.database.record

    @property
    def image_meta(self) -> ImageMeta:
        """Nova's account of the image."""
        return ImageMeta.from_dict(
            {
                "id": IMAGE,
                "checksum": self._glance.images[IMAGE].checksum,
                "container_format": "docker",
                "disk_format": "raw",
                "properties": {
                    "os_command_line": self.record.instance().system_metadata[
                        "image_os_command_line"
                    ]
                },
            }
        )

    def start_service(self) -> None:
        """Start as Nova does, and record what becomes of the server."""
        record = self.record
        for instance in self.start([] if record.deleted else [record]):
            if not self.record.deleted:
                self.database.note(vm_state=instance.vm_state, task_state=instance.task_state)

    def start(self, records: Sequence[Record]) -> list[objects.Instance]:
        """Start as Nova does, up to the end of its work on each instance."""
        self.driver.init_host(HOST)
        instances = [record.instance() for record in records]
        for instance in self.driver.process_instances_at_startup(self.context, instances):
            manager.ComputeManager._init_instance(_Manager(self), self.context, instance)
        return instances


class _Manager(SimpleNamespace):
    """Nova's manager as far as ``_init_instance`` reads it: each call is the driver's."""

    def __init__(self, service: ComputeService) -> None:
        driver = service.driver
        retry = types.MethodType(manager.ComputeManager._retry_reboot, self)
        super().__init__(host=HOST, driver=driver, _service=service, _retry_reboot=retry)

    def _get_power_state(self, instance: Any) -> int:
        try:
            return int(self.driver.get_info(instance).state)
        except exception.InstanceNotFound:
            return int(power_state.NOSTATE)

    def _set_instance_obj_error_state(self, instance: Any, clean_task_state: bool = False) -> None:
        instance.vm_state = vm_states.ERROR
        instance.task_state = None if clean_task_state else instance.task_state

    def _delete_instance(self, context: Any, instance: Any, bdms: Any) -> None:
        self.driver.destroy(context, instance, instance.get_network_info())
        self._service.database.note(deleted=True)

    def _get_instance_block_device_info(self, context: Any, instance: Any) -> dict[str, Any]:
        return {}

    def reboot_instance(self, context: Any, instance: Any, *, reboot_type: str, **_: Any) -> None:
        """Reboot."""
        self.driver.reboot(context, instance, instance.get_network_info(), reboot_type)
        instance.task_state = None

    def stop_instance(self, context: Any, instance: Any, clean_shutdown: bool) -> None:
        """Stop."""
        self.driver.power_off(instance, 0)
        instance.vm_state, instance.task_state = vm_states.STOPPED, None

    def start_instance(self, context: Any, instance: Any) -> None:
        """Start."""
        self.driver.power_on(context, instance, instance.get_network_info())
        instance.vm_state, instance.task_state = vm_states.ACTIVE, None


def _double_nova(database: Database, neutron: Neutron) -> None:
    objects.Instance.save = lambda *_, **__: None
    objects.Instance.obj_load_attr = lambda *_: None  # all of the record is there
    objects.Instance.get_by_uuid = lambda *_, **__: database.record.instance()
    objects.Migration.get_by_id_and_instance = lambda *_, **__: objects.Migration(
        id=1, uuid=MIGRATION, source_compute=HOST, dest_compute=HOST
    )
    objects.BlockDeviceMappingList.get_by_instance_uuid = lambda *_, **__: []
    module.metadata.describe_devices = lambda *_, **__: None
    compute_utils.refresh_info_cache_for_instance = lambda _, instance: setattr(
        instance, "info_cache", database.record.instance().info_cache
    )
    trunks.neutron.get_client = lambda *_, **__: neutron
    WaitingServer._tell = lambda *_, **__: None  # type: ignore[method-assign]
    Wiring.warm_up = lambda _: None  # type: ignore[method-assign]
