# SPDX-License-Identifier: Apache-2.0
"""Metadata of a server, for Nova's metadata service and the config drive."""

from collections.abc import Sequence
from typing import Any

from nova import objects
from nova.api.metadata import base

from novadocker.virt.docker.injection.config_drive import Tree
from novadocker.virt.nova_types import Instance, NetworkInfo, RequestContext


def config_drive(
    instance: Instance,
    network_info: NetworkInfo,
    files: Sequence[tuple[str, bytes]] = (),
    admin_password: str | None = None,
) -> Tree:
    """Render a config drive, as nova.virt.configdrive has it rendered for VMs.

    Args:
        instance: Nova's.
        network_info: ports of the server; blocks until Neutron made them.
        files: pairs of path and content that its tenant gave it.
        admin_password: in clear.

    Returns:
        Contents by path, made one by one.
    """
    # Only in the drive: the metadata service would show the password to all who ask there.
    extra = {"admin_pass": admin_password} if admin_password else {}
    told = base.InstanceMetadata(
        instance, content=list(files), extra_md=extra, network_info=network_info
    )
    tree: Tree = told.metadata_for_config_drive()
    return tree


def tagged_interfaces(
    context: RequestContext, instance: Instance, without: str | None = None
) -> list[objects.NetworkInterfaceMetadata]:
    """List the tagged interfaces of an instance, for the metadata service.

    Containers have no bus, so that an interface is known by its MAC alone.

    Args:
        context: context of the request.
        instance: Nova's record of the server.
        without: id of a port that is about to go.
    """
    vifs = objects.VirtualInterfaceList.get_by_instance_uuid(context, instance.uuid)
    return [
        objects.NetworkInterfaceMetadata(mac=vif.address, tags=[vif.tag], vf_trusted=False)
        for vif in vifs
        if "tag" in vif and vif.tag and vif.uuid != without
    ]


def describe_devices(
    context: RequestContext, instance: Instance, without: str | None = None
) -> None:
    """Keep the tags of interfaces with the instance, beside those of volumes.

    Args:
        context: context of the request.
        instance: Nova's record of the server; saved where an interface has, or had, a tag.
        without: id of a port that is about to go.
    """
    found = tagged_interfaces(context, instance, without)
    # Nova hands out instances that were just built with this, and others without.
    if found or without or instance.obj_attr_is_set("device_metadata"):
        kind = objects.NetworkInterfaceMetadata
        others = [each for each in _known(instance) if not isinstance(each, kind)]
        _keep(instance, [*found, *others])


def describe_disk(instance: Instance, volume: str, place: str, tag: str) -> None:
    """Keep the tag and mount point of a volume with the instance, beside all other devices.

    Args:
        instance: Nova's record of the server; saved.
        volume: Cinder's id, a VM's serial number of the disk.
        place: mount point in the server.
        tag: tenant's name for the attachment.
    """
    disk = objects.DiskMetadata(path=place, serial=volume, tags=[tag])
    _keep(instance, [*_without_disk(instance, volume), disk])


def forget_disk(instance: Instance, volume: str) -> None:
    """Forget the tag of a volume that was detached; absence is no error.

    Args:
        instance: Nova's record of the server; saved where the volume had a tag.
        volume: Cinder's id.
    """
    known, left = _known(instance), _without_disk(instance, volume)
    # Nova looks through it next where the volume had a tag, and fails if there is none.
    instance.device_metadata = objects.InstanceDeviceMetadata(devices=left)
    if left != known:
        instance.save()


def _without_disk(instance: Instance, volume: str) -> list[Any]:
    return [each for each in _known(instance) if getattr(each, "serial", None) != volume]


def _known(instance: Instance) -> list[Any]:
    return list(instance.device_metadata.devices) if instance.device_metadata else []


def _keep(instance: Instance, devices: list[Any]) -> None:
    if devices or instance.device_metadata:
        kept = objects.InstanceDeviceMetadata(devices=devices) if devices else None
        instance.device_metadata = kept
        instance.save()
