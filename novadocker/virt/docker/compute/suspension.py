# SPDX-License-Identifier: Apache-2.0
"""Calls of nova.virt.driver.ComputeDriver for a server's memory on disk."""

from typing import Any

from nova import exception

from novadocker.virt.docker import translation
from novadocker.virt.docker.compute.base import Composed
from novadocker.virt.nova_types import BlockDeviceInfo, Instance, NetworkInfo, RequestContext


class SuspensionCalls(Composed):
    """Suspension of the servers on one host."""

    def suspend(self, context: RequestContext, instance: Instance) -> None:
        network = self._parts.ports.network_of(instance, instance.get_network_info())
        with translation.as_rollback(instance, exception.InstanceSuspendFailure):
            self._parts.suspension.suspend(instance.uuid, network)

    def resume(
        self,
        context: RequestContext,
        instance: Instance,
        network_info: NetworkInfo,
        block_device_info: BlockDeviceInfo = None,
        share_info: Any = None,
    ) -> None:
        network = self._parts.ports.new_network_of(instance, network_info)
        with translation.as_rollback(instance, exception.InstanceResumeFailure):
            self._parts.suspension.resume(translation.server(instance), network)
