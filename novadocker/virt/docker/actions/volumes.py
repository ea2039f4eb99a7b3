# SPDX-License-Identifier: Apache-2.0
"""Volumes attached to, detached from and extended in existing servers."""

from oslo_log import log as logging

from novadocker.virt.docker.actions.lock import lock, operation
from novadocker.virt.docker.actions.runner import Runner
from novadocker.virt.docker.actions.stopwatch import Stopwatch
from novadocker.virt.docker.container.guest import in_service
from novadocker.virt.docker.engine import Container, Engine
from novadocker.virt.docker.volumes.attachments import Volumes
from novadocker.virt.docker.volumes.values import Attachment

LOG = logging.getLogger(__name__)


class VolumeChanges:
    """Changes to the volumes of servers, each under the server's lock.

    Args:
        engine: runs the containers.
        runner: knows the owner of a new file system.
        volumes: volumes on this host.
    """

    def __init__(self, engine: Engine, runner: Runner, volumes: Volumes) -> None:
        self._engine = engine
        self._runner = runner
        self._volumes = volumes

    def attach(self, wanted: Attachment) -> None:
        """Give a server a volume, at once where it runs.

        Raises:
            VolumeError: the volume cannot be used; nothing of it is left here.
        """
        # A start in between would find the record and mount it, too.
        with operation(self._engine, wanted.instance):
            watch, container = Stopwatch(), self._container(wanted.instance)
            self._volumes.attach(wanted, container, lambda: self._runner.owner_of_files(container))
            watch.mark("attach")
        LOG.info("Volume %s took, in seconds: %s", wanted.volume, watch)

    def detach(self, uuid: str, volume: str) -> None:
        """Take a volume from a server; safe to repeat.

        Args:
            uuid: id of the instance.
            volume: Cinder's id.

        Raises:
            VolumeBusy: processes hold it; the server has it as before.
        """
        with operation(self._engine, uuid):
            watch = Stopwatch()
            self._volumes.detach(uuid, volume, self._container(uuid))
            watch.mark("detach")
        LOG.info("Volume %s took, in seconds: %s", volume, watch)

    def extend(self, uuid: str, volume: str) -> bool:
        """Let a server use a volume's new size.

        Args:
            uuid: id of the instance.
            volume: Cinder's id.

        Returns:
            The file system has grown; else it will at the next start.

        Raises:
            VolumeError: the volume is not attached here, or its size is not seen.
        """
        with operation(self._engine, uuid):
            return self._volumes.extend(uuid, volume, self._container(uuid))

    def release(self, uuid: str) -> None:
        """Let go of all volumes of a server that does not run.

        Args:
            uuid: id of the instance.

        Raises:
            VolumeError: one could not be let go.
        """
        # The lock alone: no container is looked for, and the volumes of a boot that failed are let
        # go also while the engine is away.
        with lock(uuid):
            self._volumes.release_all(uuid)

    def _container(self, uuid: str) -> Container | None:
        return in_service(self._engine, uuid).find()
