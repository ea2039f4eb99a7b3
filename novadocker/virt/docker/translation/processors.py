# SPDX-License-Identifier: Apache-2.0
"""Host's processors by nova.conf, and a server's dedicated processors by Nova's choice."""

from pathlib import Path

import nova.conf
from nova import exception
from nova.virt import hardware

from novadocker.virt.nova_types import ImageMeta, Instance, NovaFlavor

CONF = nova.conf.CONF
ONLINE = Path("/sys/devices/system/cpu/online")
DEDICATED = "dedicated"


def shared_processors(online: Path = ONLINE) -> frozenset[int] | None:
    """Return the processors of servers without dedicated ones.

    Args:
        online: numbers of the processors in service, as in sysfs(5).

    Returns:
        ``[compute] cpu_shared_set``, or all that are not in ``cpu_dedicated_set``; None where
        nova.conf sets neither, so that every server may use every processor.

    Raises:
        nova.exception.Invalid: a set names processors that are not in service, or one processor
            is in both.
    """
    dedicated = hardware.get_cpu_dedicated_set() or set()
    chosen = hardware.get_cpu_shared_set()
    if chosen is None and not dedicated:
        return None
    there = hardware.parse_cpu_spec(online.read_text())
    shared = there - dedicated if chosen is None else chosen
    # The engine would refuse each container, and say less.
    if absent := shared - there:
        raise exception.Invalid(
            f"[compute] cpu_shared_set names processors {sorted(absent)}; those in service are "
            f"{sorted(there)}"
        )
    if both := shared & dedicated:
        raise exception.Invalid(
            f"[compute] cpu_shared_set and cpu_dedicated_set both name processors {sorted(both)}"
        )
    return frozenset(shared)


def dedicated_processors(
    instance: Instance, flavor: NovaFlavor, image_meta: ImageMeta
) -> frozenset[int]:
    """Return a server's dedicated processors as chosen by Nova; empty without such a request.

    Args:
        instance: nova.objects.Instance; in a resize its migration context is read.
        flavor: the new flavor of a resize that is claimed and not finished, else None.
        image_meta: nova.objects.ImageMeta of the server's image.

    Returns:
        Numbers of processors; none where the server asks for none, or where none of the host is
        the server's alone.
    """
    if not _asks(flavor or instance.flavor, image_meta):
        return frozenset()
    # Without a dedicated set Nova pins as well, by a fallback for old hosts, and others run there
    # too. With power management libvirt's driver keeps idle dedicated processors offline, and
    # brings back those of its own machines alone.
    if not CONF.compute.cpu_dedicated_set or CONF.libvirt.cpu_power_management:
        return frozenset()
    topology = instance.migration_context.new_numa_topology if flavor else instance.numa_topology
    return frozenset(topology.cpu_pinning) if topology else frozenset()


def _asks(flavor: NovaFlavor, image_meta: ImageMeta) -> bool:
    # Read from the record first: the topology costs a call to the database.
    specs = flavor.get("extra_specs", {}) or {}
    policies = (specs.get("hw:cpu_policy"), image_meta.properties.get("hw_cpu_policy"))
    resources = (name for name in specs if name.startswith("resources"))
    return DEDICATED in policies or any(name.endswith(":PCPU") for name in resources)
