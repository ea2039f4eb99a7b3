# SPDX-License-Identifier: Apache-2.0
"""ContainerFilter: images of containers go to hosts with a Docker Engine, all others elsewhere.

Installed on scheduler hosts by three lines of nova.conf::

    [filter_scheduler]
    available_filters = nova.scheduler.filters.all_filters
    available_filters = novadocker.scheduler.container_filter.ContainerFilter
    enabled_filters = ..., ContainerFilter

Images that carry ``hypervisor_type=docker`` need none: Nova's ImagePropertiesFilter reads that.
"""

from typing import Any

from nova.scheduler import filters
from oslo_log import log as logging

from novadocker.virt.hybrid.kind import HYPERVISOR_TYPE, Kind, kind_of_image

LOG = logging.getLogger(__name__)


class ContainerFilter(filters.BaseHostFilter):
    """Pass hosts for the kind of the image."""

    # The answer is the same for each server of one request.
    run_filter_once_per_request = True
    # A rebuild skips Placement; without the filter an image of the other kind would reach the
    # host of a server that cannot take it.
    RUN_ON_REBUILD = True

    def host_passes(self, host_state: Any, spec_obj: Any) -> bool:
        """Return True for a host that lists a hypervisor for the image.

        Args:
            host_state: nova.scheduler.host_manager.HostState.
            spec_obj: nova.objects.RequestSpec; a request without an image boots from a volume
                and makes a virtual machine.

        Returns:
            True where the host can run the image.
        """
        types = {str(each[1]) for each in host_state.supported_instances or ()}
        container = spec_obj.image and kind_of_image(spec_obj.image) is Kind.CONTAINER
        passes = HYPERVISOR_TYPE in types if container else bool(types - {HYPERVISOR_TYPE})
        if not passes:
            LOG.debug("Host %s has hypervisors %s only", host_state.host, sorted(types))
        return passes
