# SPDX-License-Identifier: Apache-2.0
"""Ports whose agent finds the host end by its name: there is nothing to announce."""

from typing import Any

from novadocker.virt.docker.wiring import privileged
from novadocker.virt.docker.wiring.backends.base import Backend
from novadocker.virt.docker.wiring.plan import Nic, host_device


class Tap(Backend):
    """VIF type ``tap``."""

    def bind(self, instance: Any, vif: Any, nic: Nic) -> None:
        """Do nothing: the host end is there and up."""

    def unbind(self, instance: Any, vif: Any) -> None:  # noqa: ARG002 - the contract's signature
        """Delete the host end.

        Args:
            instance: Nova's instance.
            vif: Nova's VIF.
        """
        privileged.withdraw([host_device(vif)])

    def warm_up(self) -> None:
        """Do nothing."""
