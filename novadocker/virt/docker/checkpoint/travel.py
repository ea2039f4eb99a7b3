# SPDX-License-Identifier: Apache-2.0
"""Memory of servers that go to another host, at both ends of the way."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from oslo_privsep.daemon import FailedToDropPrivileges

from novadocker.errors import CheckpointError
from novadocker.virt.docker.checkpoint import criu, obstacles
from novadocker.virt.docker.checkpoint.account import Account
from novadocker.virt.docker.checkpoint.places import IMAGES, leaving_of
from novadocker.virt.docker.checkpoint.privileged import (
    announcement,
    context,
    dumping,
    survey,
    tasks,
)
from novadocker.virt.docker.checkpoint.record import Record
from novadocker.virt.docker.engine import Container, Engine

_ACCEPT_SECONDS, _ACCEPT_PAUSE = 0.3, 0.01
MAPS = ("uid_map", "gid_map")


@dataclass(frozen=True)
class Taken:
    """Memory of a frozen container, written to disk.

    Attributes:
        images: directory of CRIU's images.
        size: bytes of them.
        maps: maps of users and groups.
    """

    images: Path
    size: int
    maps: Mapping[str, str]


class Travel:
    """Memory that leaves one host and arrives at another.

    Args:
        engine: runs the containers.
        program: name or path of CRIU.
        seconds: time limit of a dump.
    """

    def __init__(self, engine: Engine, program: str, seconds: int) -> None:
        self._engine = engine
        self._program = program
        self.seconds = seconds

    def account(self) -> Account:
        """Return the account of this host.

        Raises:
            CheckpointError: it can neither dump nor restore.
        """
        return Account.of(self._engine.info(), self._program)

    def warm_up(self) -> None:
        """Start the privileged daemon; no frozen server is to wait for that.

        Raises:
            CheckpointError: the daemon does not start.
        """
        try:
            context.ready()
        except (OSError, FailedToDropPrivileges) as error:
            raise CheckpointError(
                reason=f"its privileged daemon does not start: {error}"
            ) from error

    def refuse(self, container: Container) -> None:
        """Refuse a container with processes that cannot be dumped.

        Args:
            container: the container, running.

        Raises:
            CheckpointError: there is one, and why.
        """
        try:
            found = survey.survey(container.pid, container.id)
        except OSError as error:
            raise CheckpointError(reason=error) from error
        obstacles.refuse(found)

    def let_accept(self, container: Container) -> None:
        """Give programs a moment to accept the connections that wait for it.

        Args:
            container: the container, running, whose ports are silent already.

        Raises:
            CheckpointError: it cannot be looked at.
        """
        deadline = time.monotonic() + _ACCEPT_SECONDS
        try:
            while time.monotonic() < deadline and survey.not_accepted(container.pid, container.id):
                time.sleep(_ACCEPT_PAUSE)
        except OSError as error:
            raise CheckpointError(reason=error) from error

    def take(self, uuid: str, container: Container) -> Taken:
        """Write the memory of a frozen container, which stays as it is.

        Args:
            uuid: Nova's id of the server.
            container: the container, frozen.

        Raises:
            CheckpointError: CRIU could not, and why; nothing is left.
        """
        program = criu.find(self._program)
        try:
            size = dumping.dump_to_leave(uuid, container.pid, container.id, program, self.seconds)
            found = tasks.rights(container.pid, container.id)
        except OSError as error:
            raise CheckpointError(reason=error) from error
        first = next(each for each in found if each["pid"] == str(container.pid))
        return Taken(leaving_of(uuid) / IMAGES, size, {name: first[name] for name in MAPS})

    def forget(self, uuid: str) -> None:
        """Wipe what ``take`` has written; safe to repeat.

        Args:
            uuid: Nova's id of the server.
        """
        dumping.discard_leaving(uuid)

    def expect(self, uuid: str) -> Path:
        """Make an empty directory for the images of a server.

        Args:
            uuid: Nova's id of the server.
        """
        return Path(dumping.make_room(uuid))

    def accept(self, uuid: str, container: Container, maps: Mapping[str, str]) -> None:
        """Let arrived images be the memory of a container that has never run.

        Args:
            uuid: Nova's id of the server.
            container: made for the server on this host.
            maps: maps of users and groups, by the source.
        """
        size = dumping.accept(uuid)
        record = Record(
            container=container.id,
            started_at=container.started_at,
            uid_map=maps["uid_map"],
            gid_map=maps["gid_map"],
            size=size,
        )
        dumping.keep_record(uuid, record.written())

    def announce(self, pid: int, container: Container) -> None:
        """Have the network notice that a server is here; what fails is tried again by it.

        Args:
            pid: a process of the container.
            container: runs the server.

        Raises:
            OSError: the frames could not be sent.
        """
        announcement.announce(pid, container.id)
