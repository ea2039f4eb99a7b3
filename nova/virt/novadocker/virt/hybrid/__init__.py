# SPDX-License-Identifier: Apache-2.0
"""The hybrid driver under the name by which Nova finds it: ``nova.virt.<compute_driver>``."""

from novadocker.virt.hybrid.driver import HybridDriver

__all__ = ["HybridDriver"]
