# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of one host's servers: written, restored, discarded."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from novadocker.checkpoint.places import RESUME, RUNTIME_NAME, WIRE
from novadocker.errors import CheckpointError, EngineError
from novadocker.virt.docker.checkpoint import criu, verification
from novadocker.virt.docker.checkpoint.conversation import Conversation
from novadocker.virt.docker.checkpoint.places import directory_of, leaving_of, record_of
from novadocker.virt.docker.checkpoint.privileged import dumping, staging, tasks
from novadocker.virt.docker.checkpoint.record import Record
from novadocker.virt.docker.engine import Container, Engine

_MIB = 1024 * 1024
ROOM = 64 * _MIB  # beside the pages: descriptors, files that were deleted, logs
OUTSIDE = ("NET_ADMIN", "SYS_ADMIN")
_OTHERS_MAY_ENTER = 0o001


@dataclass(frozen=True)
class Restored:
    """Work of the driver in the middle of a restore.

    Attributes:
        wire: takes the container's first process; its network namespace is there and empty.
        release: every process is there, and none has run; what it raises ends them all.
    """

    wire: Callable[[int], None]
    release: Callable[[], None]


class Checkpoints:
    """Checkpoints of one host's servers.

    Args:
        engine: runs the containers.
        program: name or path of CRIU.
        seconds: time limit of a checkpoint, and of each step of a restore.
    """

    def __init__(self, engine: Engine, program: str, seconds: int) -> None:
        self._engine = engine
        self._program = program
        self._seconds = seconds

    def recorded(self, uuid: str) -> bool:
        """Return True if there is a record of a server's checkpoint, of its last run or not.

        Args:
            uuid: Nova's id of the server.
        """
        return record_of(uuid).exists()

    def suspended(self, uuid: str, container: Container | None) -> bool:
        """Return True for a server whose memory is on disk, and whose processes have ended.

        Args:
            uuid: Nova's id of the server.
            container: its container as it is now.
        """
        return bool(container and not container.alive and self.holds(uuid, container))

    def holds(self, uuid: str, container: Container) -> bool:
        """Return True if the memory of a container's last run is on disk, complete.

        Args:
            uuid: Nova's id of the server.
            container: its container as it is now.
        """
        record = Record.find(uuid)
        return bool(record and record.fits(container))

    def refuse(self, container: Container, directory: Path) -> None:
        """Refuse a container that cannot be checkpointed, before anything changes.

        Args:
            container: the container, running.
            directory: instance directory, whose files are bound into the container.

        Raises:
            CheckpointError: it cannot, and why.
        """
        criu.find(self._program)
        rights = container.rights
        if rights.runtime != RUNTIME_NAME:
            raise CheckpointError(
                reason=f"the container's runtime is {rights.runtime or 'runc'}; only servers made "
                f"with the engine's runtime {RUNTIME_NAME} can be suspended"
            )
        for name in OUTSIDE:
            if name in rights.capabilities:
                raise CheckpointError(
                    reason=f"the server may use {name}, and what it has done with it outside its "
                    "processes would be lost"
                )
        refuse_closed(directory.parent)
        needed, free = container.limits.memory_bytes + ROOM, dumping.free_bytes()
        if needed > free:
            raise CheckpointError(
                reason=f"the host has {free // _MIB} MiB free for its memory, and may need "
                f"{needed // _MIB} MiB"
            )

    def write(self, uuid: str, container: Container) -> None:
        """Write the checkpoint of a frozen container; the container stays frozen.

        Args:
            uuid: Nova's id of the server.
            container: the container, frozen.

        Raises:
            CheckpointError: CRIU could not, and why; nothing is left.
        """
        program = criu.find(self._program)
        with ExitStack() as undo:
            try:
                size = dumping.dump(uuid, container.pid, container.id, program, self._seconds)
                undo.callback(dumping.discard, uuid)
                first = next(
                    each
                    for each in tasks.rights(container.pid, container.id)
                    if each["pid"] == str(container.pid)
                )
                record = Record(
                    container=container.id,
                    started_at=container.started_at,
                    uid_map=first["uid_map"],
                    gid_map=first["gid_map"],
                    size=size,
                )
                dumping.keep_record(uuid, record.written())
            except OSError as error:
                raise CheckpointError(reason=error) from error
            undo.pop_all()

    def restore(self, uuid: str, container: Container, directory: Path, driver: Restored) -> None:
        """Let a server go on from its checkpoint.

        Until every process is restored and checked, none runs and none reaches a port. A failure
        leaves the checkpoint as it was.

        Args:
            uuid: Nova's id of the server.
            container: its container, which does not run.
            directory: instance directory, whose files are bound into the container.
            driver: work of the driver at the two places where the restore waits.

        Raises:
            CheckpointError: there is no checkpoint of its last run, or CRIU could not restore.
            DockerDriverError: the engine or the driver's work failed.
        """
        record = Record.find(uuid)
        if record is None or not record.fits(container):
            raise CheckpointError(
                reason="its memory is not on this host any more; a hard reboot starts it anew"
            )
        with _entered(directory), ExitStack() as undo:
            socket = staging.stage(uuid, container.id, criu.find(self._program), os.geteuid())
            undo.callback(staging.unstage, container.id)
            try:
                self._converse(container, record, socket, driver)
            except (EngineError, OSError) as error:
                # The engine says no more than that its runtime failed.
                reason = staging.unstage(container.id) or error
                raise CheckpointError(reason=reason) from error
        self.discard(uuid)

    def discard(self, uuid: str) -> None:
        """Wipe a server's checkpoint; the absence of one is no error, and costs nothing.

        Args:
            uuid: Nova's id of the server.

        Raises:
            OSError: a file could not be removed.
        """
        if directory_of(uuid).exists() or record_of(uuid).exists():
            dumping.discard(uuid)
        if leaving_of(uuid).exists():  # nova-compute died in the middle of a move
            dumping.discard_leaving(uuid)

    def _converse(
        self, container: Container, record: Record, socket: str, driver: Restored
    ) -> None:
        with ThreadPoolExecutor(1, "restore") as pool:
            # The engine answers when the restore is over, and until then nothing about this
            # container: an inspection of it would wait, too.
            with Conversation(socket, self._seconds) as restore:
                start: Future[None] = pool.submit(self._engine.start, container.name)
                quota: dict[str, str] = {}

                def wire(pid: int) -> None:
                    quota.update(tasks.lift_quota(pid, container.id))
                    driver.wire(pid)

                def release(pid: int) -> None:
                    tasks.put_quota(quota)
                    found = tasks.rights(pid, container.id)
                    own = str(Path("/proc/self/ns/user").stat().st_ino)
                    verification.refuse_excess(found, container.rights, record, own)
                    driver.release()

                restore.answer(WIRE, start, wire)
                restore.answer(RESUME, start, release)
            start.result(self._seconds)


def refuse_closed(directory: Path) -> None:
    """Refuse a directory of instances that a restored server's root cannot enter.

    Args:
        directory: ``instances_path``.

    Raises:
        CheckpointError: it, or one above it, is closed.
    """
    # The restored root, a user of no rights on the host, binds files from below here.
    for each in (directory, *directory.parents):
        if not each.stat().st_mode & _OTHERS_MAY_ENTER:
            raise CheckpointError(
                reason=f"{each} of the host can be entered by its owner alone, and a restored "
                "server's own root must get through it to its files"
            )


@contextmanager
def _entered(directory: Path) -> Iterator[None]:
    # For the time of a restore. The names below are known to nobody else, and hold no secret.
    directory.chmod(0o711)
    try:
        yield
    finally:
        directory.chmod(0o700)
