# SPDX-License-Identifier: Apache-2.0
"""Choice of the repair of one container at the start of nova-compute; pure."""

import enum

from novadocker.virt.docker.engine import Container, State


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
        END: the frozen processes are on disk, and may not run on.
        REMOVE: the container is half made and has not run an instruction.
    """

    NOTHING = enum.auto()
    THAW = enum.auto()
    END = enum.auto()
    REMOVE = enum.auto()


def repair_of(
    expected: Expected, container: Container | None, *, held: bool, on_disk: bool = False
) -> Repair:
    """Choose the repair; a container with a past is never removed, for its files.

    Args:
        expected: state by Nova's record.
        container: state in the engine.
        held: the container's process waits at the start gate.
        on_disk: the server's memory is on disk, complete.
    """
    if container is None:
        return Repair.NOTHING
    if on_disk and container.state is State.PAUSED:
        return Repair.END
    if expected is Expected.AWAKE and container.state is State.PAUSED:
        return Repair.THAW
    if expected is Expected.UNBUILT and (held or container.state is State.CREATED):
        return Repair.REMOVE
    return Repair.NOTHING
