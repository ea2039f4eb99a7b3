# SPDX-License-Identifier: Apache-2.0
"""Volumes as Nova and Cinder describe them, as our attachments; our errors, as Nova's."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import nova.conf
from nova import exception, objects, utils

from novadocker import errors
from novadocker.virt.docker.volumes import content, place
from novadocker.virt.docker.volumes.connector import HostIdentity
from novadocker.virt.docker.volumes.values import Attachment
from novadocker.virt.nova_types import Instance, RequestContext

CONF = nova.conf.CONF


def host_identity() -> HostIdentity:
    """Return the facts of the host for storage, from nova.conf."""
    return HostIdentity(
        name=CONF.host,
        address=CONF.my_block_storage_ip,
        multipath=CONF.docker.volume_use_multipath,
        root_helper=utils.get_root_helper(),
    )


def volume_of(connection_info: Mapping[str, Any]) -> str:
    """Return the id of the volume behind a connection."""
    return str(connection_info["serial"])


def volume_at(
    context: RequestContext,
    instance: Instance,
    connection_info: Mapping[str, Any],
    device: str,
) -> str:
    """Return the id of a volume that is to be detached.

    An attachment that nova-compute died in may have no connection in Nova's record yet; what it
    left here has to be let go all the same.

    Args:
        context: context of the request.
        instance: Nova's record of the server.
        connection_info: Cinder's way to the volume; empty where Nova was never told.
        device: Nova's name for the device.
    """
    if "serial" in connection_info:
        return volume_of(connection_info)
    known = objects.BlockDeviceMappingList.get_by_instance_uuid(context, instance.uuid)
    return next(str(each.volume_id) for each in known if each.device_name == device)


def attachment(
    instance: Instance,
    volume: Mapping[str, Any],
    tag: str | None,
    device: str,
    connection_info: Mapping[str, Any] | None = None,
) -> Attachment:
    """Describe an attachment.

    Args:
        instance: Nova's record of the server.
        volume: Cinder's record of the volume, as Nova translates it.
        tag: name by the tenant, of this attachment.
        device: Nova's name for the device; of no meaning but a default.
        connection_info: Cinder's way to the volume; None before there is one.

    Raises:
        VolumeRefused: the volume cannot be mounted where it is wanted, or at all.
    """
    uuid, metadata = str(volume["id"]), volume.get("volume_metadata") or {}
    if volume.get("encrypted"):
        raise errors.VolumeRefused(
            volume=uuid, reason="encrypted volumes are not for containers; take another type"
        )
    connection = dict(connection_info or {})
    return Attachment(
        volume=uuid,
        instance=instance.uuid,
        place=place.place_of(uuid, metadata, tag, device),
        connection=connection,
        read_only=_is_read_only(connection, metadata),
        make=metadata.get(content.MAKE_METADATA) == content.MAKE,
    )


def _is_read_only(connection: Mapping[str, Any], metadata: Mapping[str, str]) -> bool:
    # Cinder tells the mode only to administrators, and "rw" to whoever else asks for a
    # connection; the flag itself is shown to all, among the volume's metadata.
    told = connection.get("data", {}).get("access_mode") == "ro"
    return told or metadata.get("readonly") == "True"


def refuse_second_writer(wanted: Attachment, volume: Mapping[str, Any], here: set[str]) -> None:
    """Refuse a volume with a writer on another host: two kernels would destroy the files.

    Args:
        wanted: the attachment.
        volume: Cinder's record of the volume.
        here: servers of this host that have the volume.

    Raises:
        VolumeRefused: another host has it.
    """
    # Nova has reserved the attachment by now, so that the server itself is among them.
    others = {*(volume.get("attachments") or {})} - here - {wanted.instance}
    if others and not wanted.read_only:
        raise errors.VolumeRefused(
            volume=wanted.volume,
            reason=f"server {min(others)} has it on another host, and only servers of one host "
            "can share a volume that is written; make it read-only, or boot them on one host",
        )


def tag_of(context: RequestContext, instance: Instance, volume: str) -> str | None:
    """Return the tag of a volume's attachment, or None."""
    mapping = objects.BlockDeviceMapping.get_by_volume_and_instance(context, volume, instance.uuid)
    return mapping.tag if "tag" in mapping else None


@contextlib.contextmanager
def as_refused_volume() -> Iterator[None]:
    """Raise our errors as InvalidVolume: Nova undoes the attachment and tells the reason.

    Raises:
        nova.exception.InvalidVolume: for each of ours.
    """
    try:
        yield
    except errors.DockerDriverError as error:
        raise exception.InvalidVolume(reason=str(error)) from error


@contextlib.contextmanager
def as_detach_errors(device: str) -> Iterator[None]:
    """Raise our errors as DeviceDetachFailed: Nova calls the volume attached as before.

    Args:
        device: Nova's name for it.

    Raises:
        nova.exception.DeviceDetachFailed: for each of ours.
    """
    try:
        yield
    except errors.DockerDriverError as error:
        raise exception.DeviceDetachFailed(device=device, reason=str(error)) from error
