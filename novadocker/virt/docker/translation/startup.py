# SPDX-License-Identifier: Apache-2.0
"""Instances of a host at the start of nova-compute, for a Nova that does not hand them over.

Nova 34 calls ``process_instances_at_startup`` before its own repairs; Nova 33 repairs at once, and
a driver that has repairs of its own must look for the instances in ``init_host``.
"""

import nova.context
from nova import objects
from nova.objects import fields
from nova.virt.driver import ComputeDriver

from novadocker.virt.nova_types import InstanceList, RequestContext

_HOOK = "process_instances_at_startup"
_EXPECTED = ["info_cache", "metadata"]
# The same as Nova's own: an evacuation that has begun may be over at any moment.
_EVACUATED = ("accepted", "pre-migrating", "done")


def nova_hands_over() -> bool:
    """Tell whether this Nova calls the driver with the instances at its start."""
    return hasattr(ComputeDriver, _HOOK)


def local_instances(host: str) -> tuple[RequestContext, InstanceList]:
    """Find the instances of a host that were not evacuated from it.

    A server that runs on another host by now must not come up here a second time.

    Args:
        host: name of the compute service.

    Returns:
        An administrator's context, and the instances.
    """
    context = nova.context.get_admin_context()
    found = objects.InstanceList.get_by_host(context, host, expected_attrs=_EXPECTED)
    gone = _evacuated(host)
    kept = [instance for instance in found if instance.uuid not in gone]
    return context, objects.InstanceList(context, objects=kept)


def _evacuated(host: str) -> set[str]:
    # Records of servers that were deleted since count as well.
    context = nova.context.get_admin_context(read_deleted="yes")
    filters = {
        "source_compute": host,
        "status": list(_EVACUATED),
        "migration_type": fields.MigrationType.EVACUATION,
    }
    found = objects.MigrationList.get_by_filters(context, filters)
    return {migration.instance_uuid for migration in found}
