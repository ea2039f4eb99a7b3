# SPDX-License-Identifier: Apache-2.0
"""Base of the driver's classes: Nova's ComputeDriver with the assembled parts."""

from nova.virt import driver

from novadocker.virt.docker.compute.assembly import Parts
from novadocker.virt.docker.container.guest import Guest, in_service
from novadocker.virt.nova_types import Instance, VirtAPI


class Composed(driver.ComputeDriver):
    """Compute driver with its parts.

    Args:
        virtapi: Nova's side, as every driver gets it.
        parts: parts of the driver on this host.
    """

    def __init__(self, virtapi: VirtAPI, parts: Parts) -> None:
        super().__init__(virtapi)
        self._parts = parts

    def _guest(self, instance: Instance) -> Guest:
        return in_service(self._parts.engine, instance.uuid)
