# SPDX-License-Identifier: Apache-2.0
"""VIF type ``tap``: an agent finds the host end by name, without an announcement."""

from typing import Any

from novadocker.virt.docker.wiring.backends.base import Backend
from novadocker.virt.docker.wiring.plan import Nic


class Tap(Backend):
    """VIF type ``tap``."""

    def bind(self, instance: Any, vif: Any, nic: Nic) -> bool:  # noqa: ARG002 - the contract's
        """Do nothing: the host end is there and up.

        Args:
            instance: Nova's instance.
            vif: Nova's VIF.
            nic: the plan for it.

        Returns:
            False.
        """
        return False

    def unbind(self, instance: Any, vif: Any) -> None:
        """Do nothing: the host end is gone."""

    def remains(self, vif: Any) -> bool:  # noqa: ARG002 - the contract's signature
        """Say no.

        Args:
            vif: Nova's VIF.

        Returns:
            False.
        """
        return False

    def warm_up(self) -> None:
        """Do nothing."""
