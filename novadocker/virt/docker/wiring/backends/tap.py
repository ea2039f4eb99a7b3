# SPDX-License-Identifier: Apache-2.0
"""VIF type ``tap``: an agent finds the host end by name, without an announcement."""

from novadocker.virt.docker.wiring.backends.base import Backend
from novadocker.virt.docker.wiring.plan import Nic
from novadocker.virt.nova_types import Instance, Vif


class Tap(Backend):
    """VIF type ``tap``."""

    def bind(self, instance: Instance, vif: Vif, nic: Nic) -> bool:  # noqa: ARG002 - the contract's
        """Do nothing: the host end is there and up.

        Args:
            instance: Nova's instance.
            vif: Nova's VIF.
            nic: the plan for it.

        Returns:
            False.
        """
        return False

    def unbind(self, instance: Instance, vif: Vif) -> None:
        """Do nothing: the host end is gone."""

    def remains(self, vif: Vif) -> bool:  # noqa: ARG002 - the contract's signature
        """Say no.

        Args:
            vif: Nova's VIF.

        Returns:
            False.
        """
        return False

    def warm_up(self) -> None:
        """Do nothing."""
