# SPDX-License-Identifier: Apache-2.0
"""Joint answers of two drivers about one host. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

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


def resources(machines: Mapping[str, Any], supported: Sequence[Any]) -> dict[str, Any]:
    """Join resources: libvirt's totals once, and what containers add to the instances supported.

    Args:
        machines: resources of libvirt's driver, which count the whole host.
        supported: (architecture, hypervisor type, mode) of the Docker driver; empty while the
            engine does not answer, so that the scheduler sends no container.

    Returns:
        The dictionary of ComputeDriver.get_available_resource.
    """
    return {**machines, "supported_instances": [*machines["supported_instances"], *supported]}
