# SPDX-License-Identifier: Apache-2.0
"""How Nova finds the driver where it is installed on another path than ours.

Nova imports only ``nova.virt.<compute_driver>``. The wheel ships that name, which is enough
where Nova is in the same ``site-packages``. Elsewhere (Nova from a distribution, or editable)
the package ``nova.virt`` does not look where we are. ``os_vif.initialize()`` loads all plugins
of its entry point group before nova-compute loads its driver, so a plugin of ours shows it.
"""

from pathlib import Path
from typing import Any, NoReturn, Self

import nova.virt
import os_vif.objects
import os_vif.plugin

from novadocker.virt.nova_types import Vif

SHIM_DIRECTORY = Path(__file__).parents[3] / "nova" / "virt"


def show_to_nova() -> None:
    """Let ``nova.virt`` look where our shim is; safe to repeat."""
    if str(SHIM_DIRECTORY) not in nova.virt.__path__ and SHIM_DIRECTORY.is_dir():
        nova.virt.__path__.append(str(SHIM_DIRECTORY))


class Plugin(os_vif.plugin.PluginBase):
    """Os-vif plugin without a VIF type, made to be loaded."""

    @classmethod
    def load(cls, plugin_name: str) -> Self:
        """Show the driver to Nova.

        Args:
            plugin_name: the entry point's name.

        Returns:
            The plugin.
        """
        show_to_nova()
        plugin: Self = super().load(plugin_name)
        return plugin

    def describe(self) -> Any:
        """Describe a plugin without VIF types.

        Returns:
            An os_vif HostPluginInfo.
        """
        return os_vif.objects.host_info.HostPluginInfo(plugin_name="novadocker", vif_info=[])

    def plug(self, vif: Vif, instance_info: Any) -> NoReturn:
        """Refuse; no VIF names this plugin.

        Args:
            vif: ignored.
            instance_info: ignored.
        """
        raise NotImplementedError("the novadocker plugin only makes the driver loadable")

    unplug = plug
