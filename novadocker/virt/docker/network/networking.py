# SPDX-License-Identifier: Apache-2.0
"""One server's network: what Nova has of it, in the container and in the files bound into it.

What is done to the container's interfaces is ``wiring``'s; here it is joined to the names that
the container has for itself and others.
"""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from typing import Any

from novadocker.virt.docker.container.directory import (
    HOSTNAME,
    HOSTS,
    RESOLV_CONF,
    InstanceDirectory,
)
from novadocker.virt.docker.engine import Container, State
from novadocker.virt.docker.network.history import History
from novadocker.virt.docker.wiring import Wiring, name_files
from novadocker.virt.docker.wiring.plan import Plan, make_plan
from novadocker.virt.docker.wiring.refusal import refusal_of


@dataclass(frozen=True)
class Network:
    """A server's ports as Nova has them, and the news of them that it waits for.

    Attributes:
        instance: Nova's instance, which os-vif wants.
        info: Nova's network_info; touching it blocks until Neutron made the ports.
        plugged: makes a context that, when it is left, waits until Neutron says that the
            ports plugged in it are up.
    """

    instance: Any
    info: Any
    plugged: Callable[[], AbstractContextManager[None]]

    def of(self, ports: Collection[str]) -> "Network":
        """Leave all but some ports out.

        Args:
            ports: ids of those that stay.

        Returns:
            The network with these alone, in the same order.
        """
        return replace(self, info=[vif for vif in self.info if vif["id"] in ports])


class Networking:
    """What is done to servers' networks on one host.

    Args:
        wiring: joins containers to ports.
        domain: domain of the servers' names, and their resolvers' search domain.
        dns_servers: resolvers for subnets that name none.
        metadata_by_dhcp: whether Neutron's DHCP agents serve metadata on each of their networks.
    """

    def __init__(
        self,
        wiring: Wiring,
        domain: str,
        dns_servers: tuple[str, ...],
        *,
        metadata_by_dhcp: bool = False,
    ) -> None:
        self._wiring = wiring
        self._domain = domain
        self._dns_servers = dns_servers
        self._metadata_by_dhcp = metadata_by_dhcp
        self._history = History()

    def plan(self, hostname: str, network: Network) -> Plan:
        """Plan a server's network.

        Args:
            hostname: the server's name.
            network: its ports.

        Returns:
            The plan.

        Raises:
            VifRefused: a port cannot be had by a container; nothing has been changed.
        """
        return make_plan(
            network.info,
            vif_types=self._wiring.vif_types,
            hostname=hostname,
            domain=self._domain,
            default_dns=self._dns_servers,
            metadata_by_dhcp=self._metadata_by_dhcp,
        )

    def settle(
        self,
        network: Network,
        plan: Plan,
        container: Container,
        directory: InstanceDirectory,
        *,
        fresh: bool = False,
        keep_others: bool = False,
    ) -> list[str]:
        """Bring a running container's network, and its names, to the plan. Idempotent.

        Args:
            network: the ports that the plan was made from.
            plan: what should be.
            container: as it is now.
            directory: its bound files.
            fresh: the container has just been started.
            keep_others: whether interfaces that are not planned stay.

        Returns:
            What was changed, for a log.

        Raises:
            WiringError: it could not be done.
        """
        directory.write(
            {
                HOSTS: name_files.hosts(plan),
                HOSTNAME: name_files.hostname(plan),
                RESOLV_CONF: name_files.resolv_conf(plan),
            }
        )
        if fresh:
            self._history.start(network.instance.uuid)
        if container.state is State.PAUSED:
            plan = replace(plan, nics=tuple(replace(nic, muted=True) for nic in plan.nics))
        wired = self._wiring.ensure_wired(
            network.instance,
            network.info,
            plan,
            container.pid,
            container.id,
            fresh=fresh,
            keep_others=keep_others,
        )
        changes: list[str] = wired.changes
        return changes

    def look_after(
        self,
        hostname: str,
        network: Network,
        container: Container,
        directory: InstanceDirectory,
        as_of: float,
    ) -> list[str]:
        """Repair a running container's network, unless what is known of it is out of date.

        Nova tells of a port for a while after it was detached, and has told of one too few
        where one was attached since: neither may be undone here. No interface is taken away:
        a record of Nova's that has lost a port would cut off a server that works.

        Args:
            hostname: the server's name.
            network: its ports, as Nova had them at ``as_of``.
            container: as it is now.
            directory: its bound files.
            as_of: when Nova had those ports, by the monotonic clock.

        Returns:
            What was changed, for a log.

        Raises:
            WiringError: it could not be repaired.
        """
        uuid = network.instance.uuid
        if not self._history.is_older(uuid, as_of):
            return []
        vif_types, gone = self._wiring.vif_types, self._history.detached(uuid, network.info)
        wanted = [
            vif
            for vif in network.info
            if vif["id"] not in gone and refusal_of(vif, vif_types) is None
        ]
        if not wanted:
            return []
        network = replace(network, info=wanted)
        plan = self.plan(hostname, network)
        return self.settle(network, plan, container, directory, keep_others=True)

    def attach(
        self,
        hostname: str,
        vif: Any,
        network: Network,
        container: Container,
        directory: InstanceDirectory,
    ) -> None:
        """Give a running container one more port; a failure leaves the others as they were.

        Args:
            hostname: the server's name.
            vif: the port.
            network: all ports of the server, this one too.
            container: as it is now.
            directory: its bound files.

        Raises:
            VifRefused: a container cannot have it; nothing has been changed.
            WiringError: it could not be joined.
        """
        self.plan(hostname, replace(network, info=[vif]))
        self._history.attach(network.instance.uuid, vif["id"])
        wanted = network.of({vif["id"], *self._joined(hostname, network, container)})
        plan = self.plan(hostname, wanted)
        with ExitStack() as undo:
            undo.callback(self.detach, hostname, vif, network, container, directory)
            self.settle(wanted, plan, container, directory)
            undo.pop_all()

    def detach(
        self,
        hostname: str,
        vif: Any,
        network: Network,
        container: Container,
        directory: InstanceDirectory,
    ) -> None:
        """Take one port away from a running container; one that is gone is no error.

        Args:
            hostname: the server's name.
            vif: the port.
            network: all ports of the server, whether this one is still among them or not.
            container: as it is now.
            directory: its bound files.

        Raises:
            WiringError: it could not be taken away.
        """
        self._history.detach(network.instance.uuid, vif["id"])
        self.unwire(replace(network, info=[vif]))
        rest = network.of(self._joined(hostname, network, container) - {vif["id"]})
        self.settle(rest, self.plan(hostname, rest), container, directory)

    def mute(self, network: Network, *, muted: bool) -> None:
        """Let nothing pass between a server and its ports, or let it pass again.

        The kernel answers pings for a process that is frozen; a machine that stands still
        answers nothing.

        Args:
            network: the ports.
            muted: whether nothing is to pass.

        Raises:
            WiringError: it could not be done.
        """
        self._wiring.mute(network.info, muted=muted)

    def unwire(self, network: Network) -> None:
        """Take ports away, whatever is left of their container. Idempotent.

        Args:
            network: the ports.

        Raises:
            WiringError: one could not be taken away.
        """
        self._wiring.unwire(network.instance, network.info)

    def _joined(self, hostname: str, network: Network, container: Container) -> frozenset[str]:
        # Nova tells of a port until its detachment is over, and of one that another call is
        # attaching: neither may come to the container by way of this call.
        vif_types = self._wiring.vif_types
        accepted = [vif for vif in network.info if refusal_of(vif, vif_types) is None]
        plan = self.plan(hostname, replace(network, info=accepted))
        joined: frozenset[str] = self._wiring.joined(plan, container.pid, container.id)
        return joined
