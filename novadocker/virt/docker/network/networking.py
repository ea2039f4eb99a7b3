# SPDX-License-Identifier: Apache-2.0
"""Nova's network_info applied to one container: interfaces, and its hosts and resolv.conf.

Interfaces are the work of ``wiring``; the names that a container has for itself and for others
are files in its instance directory. The caller holds the lock of the server.
"""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from typing import Protocol

from novadocker.virt.docker.container import hostname as kernel_hostname
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
from novadocker.virt.nova_types import Instance, NetworkInfo, Vif


class PlugEvent(Protocol):
    """Neutron's events for a server's ports, with the listening under way."""

    def wait(self) -> None:
        """Return when the ports are up.

        Raises:
            PlugTimeout: an event did not come in time.
            WiringError: Neutron failed to plug a port.
        """


class NothingExpected:
    """Events of ports that are up already: nothing is listened for, the wait ends at once."""

    def __enter__(self) -> PlugEvent:
        return self

    def __exit__(self, *_fault: object) -> None:
        """Let a fault pass."""

    def wait(self) -> None:
        """Return at once."""


@dataclass(frozen=True)
class Network:
    """Ports of a server as Nova records them.

    Attributes:
        instance: Nova's instance, for os-vif.
        info: Nova's network_info; reading it blocks until Neutron has made the ports.
        expected: makes a context that listens for the ports' events from its begin on.
    """

    instance: Instance
    info: NetworkInfo
    expected: Callable[[], AbstractContextManager[PlugEvent]] = NothingExpected

    def of(self, ports: Collection[str]) -> "Network":
        """Return the network with some of the ports alone, in the same order.

        Args:
            ports: ids of the ports that stay.
        """
        return replace(self, info=[vif for vif in self.info if vif["id"] in ports])


@dataclass(frozen=True)
class ServerNetwork:
    """A running container and the ports of its server.

    Attributes:
        hostname: the server's name.
        network: ports of the server.
        container: state of the container at the moment.
        directory: files that are bound into the container.
    """

    hostname: str
    network: Network
    container: Container
    directory: InstanceDirectory


class Networking:
    """Networks of the servers on one host.

    Args:
        wiring: joins containers to ports.
        domain: domain of the servers' names, and their resolvers' search domain.
        dns_servers: resolvers for subnets that name none.
        metadata_by_dhcp: Neutron's DHCP agents serve metadata on each of their networks.
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
        """Plan the interfaces and names of a server.

        Raises:
            VifRefused: a container cannot have one of the ports; nothing has been changed.
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
        target: ServerNetwork,
        *,
        fresh: bool = False,
        keep_others: bool = False,
    ) -> list[str]:
        """Bring interfaces and names of a running container to the plan; safe to repeat.

        Args:
            target: the container and the ports that it should have.
            fresh: the container has just been started.
            keep_others: interfaces that are not planned stay.

        Returns:
            Changes, as words for a log.

        Raises:
            VifRefused: a container cannot have one of the ports; nothing has been changed.
            WiringError: an interface could not be brought to the plan.
        """
        network, container = target.network, target.container
        plan = self.plan(target.hostname, network)
        target.directory.write(
            {
                HOSTS: name_files.hosts(plan),
                HOSTNAME: name_files.hostname(plan),
                RESOLV_CONF: name_files.resolv_conf(plan),
            }
        )
        kernel_hostname.follow(container, target.hostname)  # or its name would not resolve
        if fresh:
            self._history.start(network.instance.uuid)
        if container.state is State.PAUSED:
            # The kernel answers pings for frozen processes; a halted machine answers none.
            plan = replace(plan, nics=tuple(replace(nic, link_down=True) for nic in plan.nics))
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

    def look_after(self, target: ServerNetwork, seen_at: float) -> list[str]:
        """Repair the network of a running container, unless Nova's record is out of date.

        Nova records a port for a while after its detachment, and misses a port that was just
        attached: neither may be undone here. No interface is taken away: a record of Nova's
        that has lost a port would cut off a server that works.

        Args:
            target: the container, and the ports that Nova recorded at ``seen_at``.
            seen_at: moment of that record, in seconds of the monotonic clock.

        Returns:
            Changes, as words for a log.

        Raises:
            WiringError: an interface could not be repaired.
        """
        network, vif_types = target.network, self._wiring.vif_types
        uuid = network.instance.uuid
        if not self._history.is_older(uuid, seen_at):
            return []
        gone = self._history.detached(uuid, network.info)
        wanted = {
            vif["id"]
            for vif in network.info
            if vif["id"] not in gone and refusal_of(vif, vif_types) is None
        }
        if not wanted:
            return []
        return self.settle(replace(target, network=network.of(wanted)), keep_others=True)

    def attach(self, target: ServerNetwork, vif: Vif) -> None:
        """Attach a port to a running container; a failure leaves the other ports unchanged.

        Args:
            target: the container, and all ports of the server with the new one.
            vif: the new port.

        Raises:
            VifRefused: a container cannot have the port; nothing has been changed.
            WiringError: the port could not be joined.
        """
        network = target.network
        self.plan(target.hostname, replace(network, info=[vif]))
        self._history.attach(network.instance.uuid, vif["id"])
        wanted = network.of({vif["id"], *self._joined(target)})
        with ExitStack() as undo:
            undo.callback(self.detach, target, vif)
            self.settle(replace(target, network=wanted))
            undo.pop_all()

    def detach(self, target: ServerNetwork, vif: Vif) -> None:
        """Take one port away from a running container; the absence of the port is no error.

        Args:
            target: the container, and all ports of the server, with or without this one.
            vif: the port that goes.

        Raises:
            WiringError: the port could not be taken away.
        """
        network = target.network
        self._history.detach(network.instance.uuid, vif["id"])
        # Out of the switch first: nothing passes while the container's end is taken away.
        self.unwire(replace(network, info=[vif]))
        rest = network.of(self._joined(target) - {vif["id"]})
        self.settle(replace(target, network=rest))

    def mute(self, network: Network, *, down: bool) -> None:
        """Set the host ends of a server's ports down, or up again.

        Raises:
            WiringError: the state of an interface could not be set.
        """
        self._wiring.mute(network.info, down=down)

    def unwire(self, network: Network) -> None:
        """Take ports away, with or without their container; safe to repeat.

        Raises:
            WiringError: a port could not be taken away.
        """
        self._wiring.unwire(network.instance, network.info)

    def _joined(self, target: ServerNetwork) -> frozenset[str]:
        # Nova tells of a port until its detachment is over, and of one that another call is
        # attaching: neither may come to the container by way of this call.
        network, vif_types = target.network, self._wiring.vif_types
        accepted = [vif for vif in network.info if refusal_of(vif, vif_types) is None]
        plan = self.plan(target.hostname, replace(network, info=accepted))
        container = target.container
        joined: frozenset[str] = self._wiring.joined(plan, container.pid, container.id)
        return joined
