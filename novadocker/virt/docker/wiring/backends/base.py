# SPDX-License-Identifier: Apache-2.0
"""The contract of a backend; other packages may offer some, see ``third_party``."""

from abc import ABC, abstractmethod

from novadocker.virt.docker.wiring.plan import Nic
from novadocker.virt.nova_types import Instance, Vif


class Backend(ABC):
    """Joins the host end of a port's veth pair to Neutron's network.

    The pair itself, and all that is in the container's namespace, is not its business: the
    host end exists and is up when ``bind`` is called, and is gone when ``unbind`` is. One
    object serves all instances, from several threads at once, though each port is in the hands
    of one thread at a time. Whatever it raises is turned into a ``WiringError``.

    Attributes:
        reports_plugged: True where Neutron sends ``network-vif-plugged`` for the ports; where it
            does not, a boot does not wait for that.
    """

    reports_plugged = True

    @abstractmethod
    def bind(self, instance: Instance, vif: Vif, nic: Nic) -> bool:
        """Announce an existing host end.

        Must be idempotent, cheap where nothing is to be done, and silent on the wire then: it
        is called for every port whenever wiring is ensured, and repairs what was lost on the
        network's side.

        Args:
            instance: Nova's instance.
            vif: Nova's VIF.
            nic: the plan for it.

        Returns:
            Whether the network did not know the port as it is.
        """

    @abstractmethod
    def unbind(self, instance: Instance, vif: Vif) -> None:
        """Forget a port without a host end.

        Must be idempotent, and must work whether or not container and network still know each
        other. It is also called before a host end is made anew, and must have taken effect
        when it returns.

        Args:
            instance: Nova's instance.
            vif: Nova's VIF.
        """

    def remains(self, vif: Vif) -> bool:  # noqa: ARG002 - for those that can tell
        """Tell, quickly, whether anything of a port may be left from before.

        Args:
            vif: Nova's VIF; perhaps one that Neutron no longer binds to this backend.

        Returns:
            Whether there may; where this says no, ``unbind`` is not called before a host end
            is made.
        """
        return True

    def installed(self, vif: Vif) -> bool:  # noqa: ARG002 - for those that can tell
        """Tell from memory whether the network's agent on this host has a port's flows in place.

        It is asked some forty times a second while a boot waits for ``network-vif-plugged``,
        and ends that wait.

        Args:
            vif: Nova's VIF, bound.

        Returns:
            True if so; False where the agent does not say when it is done.
        """
        return False

    def resume(self) -> None:  # noqa: B027 - few need it
        """Prepare for a nova-compute just started.

        What servers that are gone have left on the host has been removed by then; ``bind`` is
        called next, for each port of a server that runs.
        """

    @abstractmethod
    def warm_up(self) -> None:
        """Start daemons and connections ahead of the first ``bind``.

        Raises:
            NotOnThisHost: and need not be, where other ports are wired.
        """
