# SPDX-License-Identifier: Apache-2.0
"""What each kind of port needs on the host's side, chosen by VIF type."""

from collections.abc import Mapping
from types import MappingProxyType

from novadocker.virt.docker.wiring.backends.base import Backend
from novadocker.virt.docker.wiring.backends.ovs import OpenVSwitch
from novadocker.virt.docker.wiring.backends.tap import Tap

__all__ = ["BACKENDS", "Backend", "OpenVSwitch", "Tap"]

BACKENDS: Mapping[str, Backend] = MappingProxyType({"ovs": OpenVSwitch(), "tap": Tap()})
