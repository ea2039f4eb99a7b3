# SPDX-License-Identifier: Apache-2.0
"""The name under which Nova finds us: it imports only ``nova.virt.<compute_driver>``."""

from novadocker.virt.docker.driver import DockerDriver

__all__ = ["DockerDriver"]
