# SPDX-License-Identifier: Apache-2.0
"""Backends, one for each kind of port: they join host ends of veth pairs to networks."""

from collections.abc import Mapping
from types import MappingProxyType

from novadocker.virt.docker.conf.values import VRouterOptions
from novadocker.virt.docker.wiring.backends.base import Backend
from novadocker.virt.docker.wiring.backends.ovs import OpenVSwitch
from novadocker.virt.docker.wiring.backends.tap import Tap
from novadocker.virt.docker.wiring.backends.third_party import third_party
from novadocker.virt.docker.wiring.backends.vrouter import VRouter, VRouterByOsVif

__all__ = ["Backend", "load"]


def load(vrouter: VRouterOptions) -> Mapping[str, Backend]:
    """Make the backends of the driver and of other packages.

    Args:
        vrouter: how ports of Contrail are plugged.

    Returns:
        The backends by VIF type.

    Raises:
        BackendUnusable: that of another package cannot be used.
    """
    ours: dict[str, Backend] = {
        "ovs": OpenVSwitch(),
        "vrouter": VRouterByOsVif(vrouter) if vrouter.by_os_vif else VRouter(vrouter),
        "tap": Tap(),
    }
    return MappingProxyType(ours | third_party(ours))
