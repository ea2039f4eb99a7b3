# SPDX-License-Identifier: Apache-2.0
"""Repairs of one server after nova-compute died in the middle of an operation.

Nova starts, stops, reboots and deletes anew what was cut off. The rest only the driver can see:

* a container made anew under another flavor and not yet in its predecessor's place: ended at the
  begin of every operation, see ``lock.operation``;
* a stand-in of a rescue that did not come to run;
* a container that was frozen for a snapshot;
* a container that was made for a server that will be in ERROR, and has not run;
* a container that was started and not wired, or wired and not let through its gate;
* a container that runs behind the back of an engine upgraded meanwhile: told, and not mended.

``at_start`` comes once, before Nova's own start of its servers; ``before_repair`` comes with
each ``plug_vifs``, which does the last of the list by itself.
"""

import enum

from oslo_log import log as logging

from novadocker.gate.start_gate import process_is_at_gate
from novadocker.virt.docker.actions.lifecycle import Lifecycle
from novadocker.virt.docker.actions.lock import operation
from novadocker.virt.docker.actions.rescue import Rescue
from novadocker.virt.docker.container.guest import in_service
from novadocker.virt.docker.container.labels import container_name
from novadocker.virt.docker.engine import Container, Engine, State
from novadocker.virt.docker.host import strays
from novadocker.virt.docker.network.networking import Network

LOG = logging.getLogger(__name__)


class Expected(enum.Enum):
    """State of a container by Nova's record of its server.

    Attributes:
        UNBUILT: the server was being made, and will be in ERROR.
        AWAKE: the server is not paused.
        OTHER: no state that a repair depends on.
    """

    UNBUILT = enum.auto()
    AWAKE = enum.auto()
    OTHER = enum.auto()


class Repair(enum.Enum):
    """Repair of a container that was left half done.

    Attributes:
        NOTHING: the container is as expected, or Nova sees to it.
        THAW: a snapshot, or a pause that Nova does not know of, froze the container.
        REMOVE: the container is half made and has not run an instruction.
    """

    NOTHING = enum.auto()
    THAW = enum.auto()
    REMOVE = enum.auto()


def repair_of(expected: Expected, container: Container | None, *, held: bool) -> Repair:
    """Choose the repair; a container that has run is never removed, as it may hold files.

    Args:
        expected: state by Nova's record.
        container: state in the engine.
        held: the container's process waits at the start gate.
    """
    if container is None:
        return Repair.NOTHING
    if expected is Expected.AWAKE and container.state is State.PAUSED:
        return Repair.THAW
    if expected is Expected.UNBUILT and (held or container.state is State.CREATED):
        return Repair.REMOVE
    return Repair.NOTHING


class Recovery:
    """Repairs of the servers on one host.

    Args:
        engine: runs the containers.
        rescue: ends rescues that were broken off.
        lifecycle: removes servers that were half made.
    """

    def __init__(self, engine: Engine, rescue: Rescue, lifecycle: Lifecycle) -> None:
        self._engine = engine
        self._rescue = rescue
        self._lifecycle = lifecycle

    def at_start(self, uuid: str, expected: Expected, network: Network) -> bool:
        """Repair one server before Nova starts it.

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
        # A container under the name of a broken-off resize has its own name back first.
        with operation(self._engine, uuid):
            guest = in_service(self._engine, uuid)
            container = guest.find()
            if container:
                strays.refuse(container)
            held = bool(container and container.alive and process_is_at_gate(container.pid))
            repair = repair_of(expected, container, held=held)
            if repair is not Repair.NOTHING:
                LOG.warning("%s was left half done by an earlier run: %s", guest.name, repair.name)
            if repair is Repair.THAW:
                guest.unpause()
        if repair is Repair.REMOVE:  # which takes the lock itself
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
            self._rescue.end(uuid, network)
