# SPDX-License-Identifier: Apache-2.0
"""Repair, attachment and detachment of ports of a server that is there already."""

from collections.abc import Callable
from dataclasses import replace

from novadocker.virt.docker.actions.lock import lock, operation
from novadocker.virt.docker.actions.recovery.recovery import Recovery
from novadocker.virt.docker.actions.runner import Runner
from novadocker.virt.docker.container.guest import in_service
from novadocker.virt.docker.container.server import Server
from novadocker.virt.docker.engine import Engine, State
from novadocker.virt.docker.network.audit import Audited
from novadocker.virt.docker.network.networking import Network, Networking, ServerNetwork
from novadocker.virt.nova_types import Vif


class Interfaces:
    """Ports of the servers on one host; each operation may be repeated.

    Args:
        engine: runs the containers.
        networking: joins containers to their ports.
        runner: knows containers and their directories.
        recovery: puts right what an earlier nova-compute left.
    """

    def __init__(
        self, engine: Engine, networking: Networking, runner: Runner, recovery: Recovery
    ) -> None:
        self._engine = engine
        self._networking = networking
        self._runner = runner
        self._recovery = recovery

    def repair(self, server: Server, network: Network) -> None:
        """Bring the network of a running container to the plan; a stopped one is left alone.

        Args:
            server: the server of the container.
            network: ports of the server.

        Raises:
            WiringError: the network could not be repaired.
        """
        with operation(self._engine, server.uuid):
            self._recovery.before_repair(server.uuid, network)
            guest = in_service(self._engine, server.uuid)
            container = guest.find()
            if container and container.alive:
                is_rescue = self._is_rescue(server.uuid, guest.name)
                self._runner.keep_running(replace(server, rescue=is_rescue), network, container)

    def look_after(self, audited: Audited) -> list[str]:
        """Repair the network of a running server, where something is wrong.

        Args:
            audited: the server; one without a running container is left alone.

        Returns:
            Changes, as words for a log.

        Raises:
            WiringError: the network could not be repaired.
        """
        with lock(audited.uuid):
            guest = in_service(self._engine, audited.uuid)
            container = guest.find()
            # A frozen one is frozen by its tenant, whose resumption sets the links up, or by a
            # snapshot, which knows of no links: an audit must not set them down for it.
            if not container or container.state is not State.RUNNING:
                return []
            is_rescue = self._is_rescue(audited.uuid, guest.name)
            directory = self._runner.directory(audited.uuid, rescue=is_rescue)
            target = ServerNetwork(audited.hostname, audited.network, container, directory)
            return self._networking.look_after(target, audited.seen_at)

    def attach(self, server: Server, vif: Vif, ports: Callable[[], Network]) -> None:
        """Attach a port to a server; a stopped server has the port after its start.

        Args:
            server: the server that gets the port.
            vif: the new port.
            ports: reads the ports of the server, with the new one, when it is this call's turn.

        Raises:
            VifRefused: a container cannot have the port; nothing has been changed.
            WiringError: the port could not be joined; nothing of it is left.
        """
        with operation(self._engine, server.uuid):
            # Read under the lock: another call may have attached or detached in the meantime.
            network = ports()
            self._networking.plan(server.hostname, replace(network, info=[vif]))
            if target := self._running(server, network):
                self._networking.attach(target, vif)

    def detach(self, server: Server, vif: Vif, ports: Callable[[], Network]) -> None:
        """Take one port away from a server; the absence of the port is no error.

        Args:
            server: the server that loses the port.
            vif: the port that goes.
            ports: reads the ports of the server when it is this call's turn.

        Raises:
            WiringError: the port could not be taken away.
        """
        with operation(self._engine, server.uuid):
            network = ports()
            if target := self._running(server, network):
                self._networking.detach(target, vif)
            else:
                self._networking.unwire(replace(network, info=[vif]))

    def _running(self, server: Server, network: Network) -> ServerNetwork | None:
        container = in_service(self._engine, server.uuid).find()
        if not container or not container.alive:
            return None
        directory = self._runner.directory(server.uuid, rescue=server.rescue)
        return ServerNetwork(server.hostname, network, container, directory)

    def _is_rescue(self, uuid: str, container: str) -> bool:
        return container != self._runner.guest(uuid).name
