# SPDX-License-Identifier: Apache-2.0
"""What nova-compute left half done when it died, and Nova does not put right when it starts again.

Nova starts, stops, reboots and deletes anew what was cut off in the middle; ``plug_vifs`` wires
and lets go what was started and no more. Two things are left, which only the driver can see.
"""

import enum
from collections.abc import Callable

from oslo_log import log as logging

from novadocker.errors import DockerDriverError
from novadocker.gate.start_gate import StartGate
from novadocker.virt.docker.container.guest import in_service
from novadocker.virt.docker.engine import Container, Engine, State

LOG = logging.getLogger(__name__)


class Expected(enum.Enum):
    """What Nova's record of a server says of its container.

    Attributes:
        UNBUILT: it was being made, and will be in ERROR.
        AWAKE: it is not paused.
        OTHER: nothing that is of interest here.
    """

    UNBUILT = enum.auto()
    AWAKE = enum.auto()
    OTHER = enum.auto()


class Repair(enum.Enum):
    """What is to be done to a container.

    Attributes:
        NOTHING: it is as expected, or Nova sees to it.
        THAW: a snapshot, or a pause that Nova does not know of, froze it.
        REMOVE: it is half made and has not run an instruction.
    """

    NOTHING = enum.auto()
    THAW = enum.auto()
    REMOVE = enum.auto()


def repair_of(expected: Expected, container: Container | None, *, held: bool) -> Repair:
    """Decide what is to be done to a container.

    Args:
        expected: by Nova's record.
        container: as it is.
        held: whether its process waits at the start gate.

    Returns:
        The repair. What has run is never removed: there may be something in it.
    """
    if container is None:
        return Repair.NOTHING
    if expected is Expected.AWAKE and container.state is State.PAUSED:
        return Repair.THAW
    if expected is Expected.UNBUILT and (held or container.state is State.CREATED):
        return Repair.REMOVE
    return Repair.NOTHING


def recover(engine: Engine, uuid: str, expected: Expected, remove: Callable[[], None]) -> None:
    """Put right what is left of one server.

    A failure is told and no more: the host's other servers want their nova-compute.

    Args:
        engine: where its container is.
        uuid: of the instance.
        expected: by Nova's record.
        remove: removes all of it from the host.
    """
    try:
        guest = in_service(engine, uuid)
        container = guest.find()
        held = bool(container and container.alive and StartGate.holds(container.pid))
        repair = repair_of(expected, container, held=held)
        if repair is not Repair.NOTHING:
            LOG.warning("%s was left half done by an earlier run: %s", guest.name, repair.name)
        if repair is Repair.THAW:
            guest.unpause()
        elif repair is Repair.REMOVE:
            remove()
    except DockerDriverError as error:
        LOG.warning("Cannot put the container of instance %s right: %s", uuid, error)
