# SPDX-License-Identifier: Apache-2.0
"""Repairs of the servers on this host, at their times; the package has the list."""

from oslo_log import log as logging

from novadocker.gate.start_gate import process_is_at_gate
from novadocker.virt.docker.actions.lifecycle import Lifecycle
from novadocker.virt.docker.actions.lock import operation
from novadocker.virt.docker.actions.recovery.repairs import Expected, Repair, repair_of
from novadocker.virt.docker.actions.recovery.rescues import end_rescue
from novadocker.virt.docker.actions.runner import Runner
from novadocker.virt.docker.actions.suspension import Suspension
from novadocker.virt.docker.container.guest import in_service
from novadocker.virt.docker.container.labels import container_name
from novadocker.virt.docker.engine import Engine
from novadocker.virt.docker.host import strays
from novadocker.virt.docker.network.networking import Network, Networking

LOG = logging.getLogger(__name__)


class Recovery:
    """Repairs of the servers on one host.

    Args:
        engine: runs the containers.
        networking: unplugs the stand-ins of broken rescues.
        runner: knows containers and their directories.
        lifecycle: removes servers that were half made.
        suspension: ends processes that are on disk.
    """

    def __init__(
        self,
        engine: Engine,
        networking: Networking,
        runner: Runner,
        lifecycle: Lifecycle,
        suspension: Suspension,
    ) -> None:
        self._engine = engine
        self._networking = networking
        self._runner = runner
        self._lifecycle = lifecycle
        self._suspension = suspension

    def at_start(self, uuid: str, expected: Expected, network: Network) -> bool:
        """Repair a server before its start by Nova.

        Args:
            uuid: id of the instance.
            expected: state by Nova's record.
            network: ports of the server.

        Returns:
            False for a server without a container.

        Raises:
            ContainerUnseen: the engine has lost the container's living processes, which stay:
                nothing of a tenant's is ended without an operator.
            DockerDriverError: the engine, or the host, could not do it.
        """
        # The operation's begin gives the container of a broken-off resize its own name back.
        with operation(self._engine, uuid):
            guest = in_service(self._engine, uuid)
            container = guest.find()
            if container:
                strays.refuse(container)
            held = bool(container and container.alive and process_is_at_gate(container.pid))
            on_disk = self._suspension.tidy(uuid, container)
            repair = repair_of(expected, container, held=held, on_disk=on_disk)
            if repair is not Repair.NOTHING:
                LOG.warning("%s was left half done by an earlier run: %s", guest.name, repair.name)
            if repair is Repair.THAW:
                guest.unpause()
            elif repair is Repair.END:
                self._suspension.end(uuid, network)
        if repair is Repair.REMOVE:  # after the lock: a removal takes the lock itself
            self._lifecycle.remove(uuid, network)
        return container is not None

    def before_repair(self, uuid: str, network: Network) -> None:
        """End a rescue that was broken off; the caller holds the lock.

        Args:
            uuid: id of the instance.
            network: ports of the server.

        Raises:
            DockerDriverError: the engine could not do it.
        """
        if in_service(self._engine, uuid).name == container_name(uuid):
            end_rescue(self._runner, self._networking, uuid, network)
