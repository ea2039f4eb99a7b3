# SPDX-License-Identifier: Apache-2.0
"""The contract of a backend."""

from abc import ABC, abstractmethod
from typing import Any

from novadocker.virt.docker.wiring.plan import Nic


class Backend(ABC):
    """Joins the host end of a port's veth pair to Neutron's network.

    The pair itself, and all that is in the container's namespace, is not its business. A
    backend keeps no state of its own between calls: one object serves all instances, from
    several threads at once. Whatever it raises is turned into a ``WiringError``.
    """

    @abstractmethod
    def bind(self, instance: Any, vif: Any, nic: Nic) -> None:
        """Announce a host end that exists.

        Must be idempotent, and cheap where nothing is to be done: it is called for every
        port whenever wiring is ensured, and repairs what was lost on the network's side.

        Args:
            instance: Nova's instance.
            vif: Nova's VIF.
            nic: the plan for it.
        """

    @abstractmethod
    def unbind(self, instance: Any, vif: Any) -> None:
        """Forget the port and delete its host end.

        Must be idempotent, and must work whether or not host end, container and network
        still know each other. It is also called before a host end is made anew, and must
        have taken effect when it returns.

        Args:
            instance: Nova's instance.
            vif: Nova's VIF.
        """

    @abstractmethod
    def warm_up(self) -> None:
        """Start whatever would make the first ``bind`` slow."""
