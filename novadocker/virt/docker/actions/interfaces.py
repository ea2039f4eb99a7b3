# SPDX-License-Identifier: Apache-2.0
"""The network of a server that is there already: repaired, looked after, a port more or less."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from novadocker.virt.docker.actions import recreate
from novadocker.virt.docker.actions.lock import lock
from novadocker.virt.docker.actions.servers import Servers
from novadocker.virt.docker.container.guest import in_service
from novadocker.virt.docker.container.server import Server
from novadocker.virt.docker.network.audit import Audited
from novadocker.virt.docker.network.networking import Network


class Rewiring(Servers):
    """The servers of one host and their ports; each operation may be repeated."""

    def repair_network(self, server: Server, network: Network) -> None:
        """Bring the network of a running container to what it should be.

        Args:
            server: whose; one without a running container is left alone.
            network: its ports.
        """
        with lock(server.uuid):
            recreate.recover(self._engine, server.uuid)
            guest = in_service(self._engine, server.uuid)
            server = replace(server, rescue=guest.name != self._runner.guest(server.uuid).name)
            if not server.rescue:
                self._rescue.end(server.uuid, network)  # one that was broken off
            container = guest.find()
            if container and container.alive:
                directory = self._runner.directory(server.uuid, rescue=server.rescue)
                plan = self._networking.plan(server.hostname, network)
                self._networking.settle(network, plan, container, directory)
                # A driver that died between start and wiring left it waiting.
                directory.gate.let_go()

    def look_after_network(self, audited: Audited) -> list[str]:
        """Repair the network of a server that runs, if anything of it is wrong.

        Args:
            audited: the server; one without a running container is left alone.

        Returns:
            What was changed, for a log.

        Raises:
            WiringError: it could not be repaired.
        """
        with lock(audited.uuid):
            guest = in_service(self._engine, audited.uuid)
            container = guest.find()
            if not container or not container.alive:
                return []
            is_rescue = guest.name != self._runner.guest(audited.uuid).name
            directory = self._runner.directory(audited.uuid, rescue=is_rescue)
            return self._networking.look_after(
                audited.hostname, audited.network, container, directory, audited.as_of
            )

    def attach(self, server: Server, vif: Any, ports: Callable[[], Network]) -> None:
        """Give a server one more port; one that does not run has it when it starts.

        Args:
            server: whose.
            vif: the port.
            ports: says which ports the server has by now, this one too.

        Raises:
            VifRefused: a container cannot have it; nothing has been changed.
            WiringError: it could not be joined; nothing of it is left.
        """
        with lock(server.uuid):
            network, container = ports(), in_service(self._engine, server.uuid).find()
            self._networking.plan(server.hostname, replace(network, info=[vif]))
            if container and container.alive:
                directory = self._runner.directory(server.uuid, rescue=server.rescue)
                self._networking.attach(server.hostname, vif, network, container, directory)

    def detach(self, server: Server, vif: Any, ports: Callable[[], Network]) -> None:
        """Take one port away from a server; one that it lacks is no error.

        Args:
            server: whose.
            vif: the port.
            ports: says which ports the server has by now.

        Raises:
            WiringError: it could not be taken away.
        """
        with lock(server.uuid):
            network, container = ports(), in_service(self._engine, server.uuid).find()
            if container and container.alive:
                directory = self._runner.directory(server.uuid, rescue=server.rescue)
                self._networking.detach(server.hostname, vif, network, container, directory)
            else:
                self._networking.unwire(replace(network, info=[vif]))
