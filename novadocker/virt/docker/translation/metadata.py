# SPDX-License-Identifier: Apache-2.0
"""Metadata of a server, for Nova's metadata service and the config drive."""

from collections.abc import Sequence
from typing import Any

from nova import objects
from nova.api.metadata import base

from novadocker.virt.docker.injection.config_drive import Tree


def config_drive(
    instance: Any,
    network_info: Any,
    files: Sequence[tuple[str, bytes]] = (),
    admin_password: str | None = None,
) -> Tree:
    """Render a config drive, as nova.virt.configdrive has it rendered for VMs.

    Args:
        instance: Nova's.
        network_info: its ports; blocks until Neutron made them.
        files: pairs of path and content that its tenant gave it.
        admin_password: in clear.

    Returns:
        Contents by path, made one by one.
    """
    extra = {"admin_pass": admin_password} if admin_password else {}
    told = base.InstanceMetadata(
        instance, content=list(files), extra_md=extra, network_info=network_info
    )
    tree: Tree = told.metadata_for_config_drive()
    return tree


def device_metadata(
    context: Any, instance: Any, without: str | None = None
) -> objects.InstanceDeviceMetadata | None:
    """Say by which tags an instance's tenant knows its interfaces.

    Containers have no bus, so that an interface is known by its MAC alone.

    Args:
        context: of the request.
        instance: Nova's.
        without: id of a port that is about to go.

    Returns:
        Tags by MAC, for ``instance.device_metadata``; None where no interface has a tag.
    """
    vifs = objects.VirtualInterfaceList.get_by_instance_uuid(context, instance.uuid)
    devices = [
        objects.NetworkInterfaceMetadata(mac=vif.address, tags=[vif.tag], vf_trusted=False)
        for vif in vifs
        if "tag" in vif and vif.tag and vif.uuid != without
    ]
    return objects.InstanceDeviceMetadata(devices=devices) if devices else None


def describe_devices(context: Any, instance: Any, without: str | None = None) -> None:
    """Keep what ``device_metadata`` says with the instance, where Nova's metadata service reads.

    Args:
        context: of the request.
        instance: Nova's; saved where it has, or had, a tagged interface.
        without: id of a port that is about to go.
    """
    found = device_metadata(context, instance, without)
    # Nova hands out instances that were just built with this, and others without.
    loaded = without or instance.obj_attr_is_set("device_metadata")
    known = loaded and instance.device_metadata
    if found or known:
        instance.device_metadata = found
        instance.save()
