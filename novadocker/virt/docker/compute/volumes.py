# SPDX-License-Identifier: Apache-2.0
"""Volume calls of nova.virt.driver.ComputeDriver, and volumes around the other calls."""

import contextlib
from collections.abc import Iterator
from typing import Any

from nova import exception
from nova.virt import driver
from nova.volume import cinder
from oslo_log import log as logging

from novadocker.virt.docker.compute.base import Composed
from novadocker.virt.docker.translation import metadata
from novadocker.virt.docker.translation import volumes as translation
from novadocker.virt.docker.volumes.values import Attachment
from novadocker.virt.nova_types import (
    BlockDevice,
    BlockDeviceInfo,
    BlockDevices,
    ConnectionInfo,
    ImageMeta,
    Instance,
    RequestContext,
)

LOG = logging.getLogger(__name__)

ROOT_DEVICE = "/dev/vda"


class VolumeCalls(Composed):
    """Volumes of the servers on one host."""

    def default_root_device_name(
        self, instance: Instance, image_meta: ImageMeta, root_bdm: BlockDevice
    ) -> str:
        """Return the first of the device names; Nova counts on from there."""
        return ROOT_DEVICE

    def get_device_name_for_instance(
        self, instance: Instance, bdms: BlockDevices, block_device_obj: BlockDevice
    ) -> str:
        """Refuse a bad volume while the API's caller waits; the name is Nova's choice.

        Raises:
            NotImplementedError: nothing speaks against it.
            nova.exception.InvalidInput: the volume cannot be used, and why.
        """
        mapping = block_device_obj
        if mapping.is_volume and mapping.volume_id and mapping.boot_index != 0:
            context = mapping._context  # noqa: SLF001 - the request's; Nova gives no other
            try:
                with translation.as_refused_volume():
                    self._check(context, instance, mapping.volume_id, mapping.tag)
            except exception.InvalidVolume as error:
                raise exception.InvalidInput(reason=error.format_message()) from error
        raise NotImplementedError

    def get_volume_connector(self, instance: Instance) -> dict[str, Any]:
        """Return the facts of the host for storage backends."""
        return self._parts.connector.properties()

    def attach_volume(
        self,
        context: RequestContext,
        connection_info: ConnectionInfo,
        instance: Instance,
        mountpoint: str,
        disk_bus: Any = None,
        device_type: Any = None,
        encryption: Any = None,
    ) -> None:
        """Mount a volume in a server, or keep it for the server's next start."""
        with translation.as_refused_volume():
            wanted, tag = self._wanted(context, instance, connection_info, mountpoint)
            self._parts.volume_changes.attach(wanted)
        if tag:
            metadata.describe_disk(instance, wanted.volume, wanted.place, tag)

    def detach_volume(
        self,
        context: RequestContext,
        connection_info: ConnectionInfo,
        instance: Instance,
        mountpoint: str,
        encryption: Any = None,
    ) -> None:
        """Take a volume from a server, with proof of its release."""
        with translation.as_detach_errors(mountpoint):
            volume = translation.volume_at(context, instance, connection_info, mountpoint)
            self._parts.volume_changes.detach(instance.uuid, volume)
        metadata.forget_disk(instance, volume)

    def extend_volume(
        self,
        context: RequestContext,
        connection_info: ConnectionInfo,
        instance: Instance,
        requested_size: int,
    ) -> None:
        """Let a server use a volume's new size, now or at its next start."""
        volume = translation.volume_of(connection_info)
        with translation.as_refused_volume():
            if not self._parts.volume_changes.extend(instance.uuid, volume):
                LOG.warning(
                    "The file system of volume %s grows at the next start of %s",
                    volume,
                    instance.uuid,
                )

    # Around the calls that start servers

    def _expect_volumes(
        self, context: RequestContext, instance: Instance, block_device_info: BlockDeviceInfo
    ) -> None:
        """Connect the volumes and ephemeral disks of a server before a start."""
        ephemerals = driver.block_device_info_get_ephemerals(block_device_info)
        for number, disk in enumerate(ephemerals):
            wanted = self._parts.ephemeral_disks.ensure(instance.uuid, number, disk["size"])
            self._connect_disk(wanted)
        for mapping in driver.block_device_info_get_mapping(block_device_info):
            connection, device = mapping["connection_info"], mapping["mount_device"]
            known = self._parts.volumes.find(instance.uuid, translation.volume_of(connection))
            if known:  # whose place was decided when it was attached
                self._parts.volumes.reconnect(known, connection)
            else:
                wanted, tag = self._wanted(context, instance, connection, device)
                self._parts.volumes.expect(wanted)
                if tag:
                    metadata.describe_disk(instance, wanted.volume, wanted.place, tag)

    @contextlib.contextmanager
    def _new_volumes(
        self, context: RequestContext, instance: Instance, block_device_info: BlockDeviceInfo
    ) -> Iterator[None]:
        """Connect the volumes of a new server; a failed build lets them go."""
        with contextlib.ExitStack() as undo:
            undo.callback(self._parts.runner.remove_ephemeral_disks, instance.uuid)
            undo.callback(self._parts.volume_changes.release, instance.uuid)
            self._expect_volumes(context, instance, block_device_info)
            yield
            undo.pop_all()

    def _connect_disk(self, wanted: Attachment) -> None:
        """Connect an ephemeral disk; safe to repeat, also after a restart of the host."""
        known = self._parts.volumes.find(wanted.instance, wanted.volume)
        if known:
            self._parts.volumes.reconnect(known, known.connection)
        else:
            self._parts.volumes.expect(wanted)

    def _check(
        self, context: RequestContext, instance: Instance, volume_id: str, tag: str | None
    ) -> None:
        volume = cinder.API().get(context, volume_id)
        wanted = translation.attachment(instance, volume, tag, ROOT_DEVICE)
        here = self._parts.volumes.holders(volume_id)
        translation.refuse_second_writer(wanted, volume, here)
        self._parts.volumes.check(wanted)

    def _wanted(
        self, context: RequestContext, instance: Instance, connection: Any, device: str
    ) -> tuple[Any, str | None]:
        volume_id = translation.volume_of(connection)
        volume = cinder.API().get(context, volume_id)
        tag = translation.tag_of(context, instance, volume_id)
        wanted = translation.attachment(instance, volume, tag, device, connection)
        here = self._parts.volumes.holders(volume_id)
        translation.refuse_second_writer(wanted, volume, here)
        return wanted, tag
