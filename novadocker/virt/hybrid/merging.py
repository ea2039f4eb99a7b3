# SPDX-License-Identifier: Apache-2.0
"""Joint answers of two drivers about one host. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import os_resource_classes as orc

# Nova asks for these before the kind of a server is known, and neither side refuses by itself.
BOTH = frozenset(
    {
        "has_imagecache",
        "supports_attach_interface",
        "supports_device_tagging",
        "supports_image_type_raw",
        "supports_migrate_to_same_host",
        "supports_tagged_attach_interface",
    }
)


def capabilities(machines: Mapping[str, bool], containers: Mapping[str, bool]) -> dict[str, bool]:
    """Join capabilities: a side without a capability refuses each server by itself.

    Args:
        machines: capabilities of libvirt's driver.
        containers: capabilities of the Docker driver.

    Returns:
        Capabilities of the host.
    """
    return {
        name: (all if name in BOTH else any)(
            (machines.get(name, False), containers.get(name, False))
        )
        for name in {**machines, **containers}
    }


def resources(
    machines: Mapping[str, Any], supported: Sequence[Any], own_disk: int | None
) -> dict[str, Any]:
    """Join resources: libvirt's totals once, and what containers add to the instances supported.

    Args:
        machines: resources of libvirt's driver, which count the whole host.
        supported: (architecture, hypervisor type, mode) of the Docker driver; empty while the
            engine does not answer, so that the scheduler sends no container.
        own_disk: GiB of the containers' disk; None where both kinds share one.

    Returns:
        The dictionary of ComputeDriver.get_available_resource.
    """
    total = machines["local_gb"]
    return {
        **machines,
        "local_gb": total if own_disk is None else min(total, own_disk),
        "supported_instances": [*machines["supported_instances"], *supported],
    }


def inventory(
    machines: Mapping[str, Mapping[str, Any]], own_disk: int | None
) -> dict[str, dict[str, Any]]:
    """Join inventories: libvirt's, with the smaller of two disks.

    Placement knows no kind of a server: a sum would let either disk be sold twice, and the
    smaller one is never wrong.

    Args:
        machines: inventory of libvirt's driver by resource classes.
        own_disk: GiB of the containers' disk; None where both kinds share one.

    Returns:
        Inventory of the host.
    """
    joined = {name: dict(each) for name, each in machines.items()}
    if own_disk is not None and orc.DISK_GB in joined:
        disk = joined[orc.DISK_GB]
        disk["total"] = min(disk["total"], own_disk)
        disk["max_unit"] = min(disk["max_unit"], own_disk)
    return joined
