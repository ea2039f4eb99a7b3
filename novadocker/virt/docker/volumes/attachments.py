# SPDX-License-Identifier: Apache-2.0
"""Volumes of one host's servers: attached, mounted at each start, extended, let go with proof.

A volume goes through connected, prepared and mounted, in this order. A server that does not run
has it connected alone. Each operation may be repeated.
"""

import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from oslo_concurrency import lockutils
from oslo_log import log as logging

from novadocker.errors import VolumeBusy, VolumeError, VolumeRefused
from novadocker.virt.docker.engine import Container
from novadocker.virt.docker.volumes import place
from novadocker.virt.docker.volumes.connector import Connector
from novadocker.virt.docker.volumes.content import Step, Survey, decide
from novadocker.virt.docker.volumes.privileged import device, filesystem, growth, holders, mounting
from novadocker.virt.docker.volumes.records import Records
from novadocker.virt.docker.volumes.values import Attachment, Trust

LOG = logging.getLogger(__name__)

PATIENCE = 10.0
PATIENCE_FOR_PROOF = 3.0
_ANOTHER_NAMESPACE = "a mount namespace of another process"

Owner = Callable[[], tuple[int, int]]


class Volumes:
    """The volumes of one host.

    Args:
        records: connected volumes, on disk.
        connector: os-brick.
        trust: file systems that the kernel may mount.
    """

    def __init__(self, records: Records, connector: Connector, trust: Trust) -> None:
        self._records = records
        self._connector = connector
        self._trust = trust

    def check(self, wanted: Attachment) -> None:
        """Validate a mount point and the operator's choice, before a connection.

        Args:
            wanted: the attachment, not connected yet.

        Raises:
            VolumeRefused: the operator wants none, or its mount point is not accepted.
        """
        if self._trust is Trust.NONE and not wanted.ephemeral:
            raise VolumeRefused(
                volume=wanted.volume, reason="[docker] volume_filesystems = none accepts no volume"
            )
        place.refuse(wanted.volume, wanted.place, self._taken(wanted))

    def find(self, instance: str, volume: str) -> Attachment | None:
        """Return an attachment on the host, or None.

        Args:
            instance: Nova's id of the server.
            volume: Cinder's id.
        """
        return self._records.find(instance, volume)

    def attached(self, instance: str) -> bool:
        """Return True for a server with volumes on this host.

        Args:
            instance: Nova's id of the server.
        """
        return bool(self._records.of(instance))

    def holders(self, volume: str) -> set[str]:
        """Return the servers of the host with a volume.

        Args:
            volume: Cinder's id.
        """
        return self._records.holders(volume)

    def attach(self, wanted: Attachment, container: Container | None, owner: Owner) -> None:
        """Give a server a volume; a failure leaves nothing behind.

        Args:
            wanted: the attachment, not connected yet.
            container: the server's, if it has one; a running one gets the mount at once.
            owner: user and group, as known inside, for the root of a new file system.

        Raises:
            VolumeRefused: its mount point or its content is not accepted.
            VolumeError: it could not be connected or mounted.
        """
        self.check(wanted)
        known = self._records.find(wanted.instance, wanted.volume)
        with _lock(wanted.volume), ExitStack() as undo:
            if known is None:
                undo.callback(self._release, wanted)
            attachment = self._connect(wanted if known is None else known)
            if container and container.alive:
                self._mount(attachment, container, owner)
            elif not self._others(attachment):
                self._prepare(attachment, owner)
            undo.pop_all()

    def expect(self, wanted: Attachment) -> None:
        """Connect a new volume of a server that is about to start.

        Args:
            wanted: the attachment, not connected yet.

        Raises:
            VolumeError: it could not be connected; nothing of it is left.
        """
        self.check(wanted)
        with _lock(wanted.volume), ExitStack() as undo:
            undo.callback(self._release, wanted)
            self._connect(wanted)
            undo.pop_all()

    def reconnect(self, known: Attachment, connection: Mapping[str, Any]) -> None:
        """Connect a known volume of a server that is about to start; safe to repeat.

        Args:
            known: the attachment; its device may be gone since the host restarted.
            connection: Cinder's ``connection_info`` of today.

        Raises:
            VolumeError: it could not be connected.
        """
        with _lock(known.volume):
            self._connect(replace(known, connection=connection))

    def ensure_mounted(self, container: Container, instance: str, owner: Owner, top: str) -> None:
        """Mount a server's volumes in a container; present mounts stay.

        Args:
            container: running, at its gate or beyond.
            instance: Nova's id of the server.
            owner: user and group, as known inside, for the root of a new file system.
            top: directory of the container that mount points are below; "" for its root.

        Raises:
            VolumeError: one could not be mounted.
        """
        connected = [each for each in self._records.of(instance) if each.device]
        for attachment in connected:
            with _lock(attachment.volume):
                self._mount(attachment, container, owner, top)

    def detach(self, instance: str, volume: str, container: Container | None) -> None:
        """Take a volume from a server; safe to repeat.

        Args:
            instance: Nova's id of the server.
            volume: Cinder's id.
            container: the server's, if it has one.

        Raises:
            VolumeBusy: somebody holds it; the server has it as before.
            VolumeError: it could not be disconnected.
        """
        attachment = self._records.find(instance, volume)
        if attachment is None:
            LOG.info("Volume %s is not attached to %s here", volume, instance)
            return
        with _lock(volume):
            if container and container.alive and attachment.device:
                self._unmount(attachment, container)
            self._release(attachment)

    def release_all(self, instance: str) -> None:
        """Let go of a server's volumes; its containers do not run any more.

        Args:
            instance: Nova's id of the server.

        Raises:
            VolumeBusy: somebody holds one; the others are let go.
            VolumeError: one could not be disconnected.
        """
        with ExitStack() as steps:
            for attachment in self._records.of(instance):
                # Each is tried even if another fails.
                steps.callback(self._release_alone, attachment)

    def of(self, instance: str) -> list[Attachment]:
        """Return the volumes of a server that are connected here.

        Args:
            instance: Nova's id of the server.
        """
        return self._records.of(instance)

    def connect_again(self, released: Iterable[Attachment]) -> None:
        """Connect volumes that were let go for an operation that failed; safe to repeat.

        Each is tried even if another fails; a failure is logged alone.

        Args:
            released: volumes as they were attached before.
        """
        for attachment in released:
            try:
                self.reconnect(attachment, attachment.connection)
            except (VolumeError, OSError) as error:
                LOG.warning("Server %s is without a volume: %s", attachment.instance, error)

    def extend(self, instance: str, volume: str, container: Container | None) -> bool:
        """Let a server use a volume's new size.

        Args:
            instance: Nova's id of the server.
            volume: Cinder's id.
            container: the server's, if it has one.

        Returns:
            Whether its file system has grown; False where that waits for the next start.

        Raises:
            VolumeError: it is not attached here.
        """
        attachment = self._records.find(instance, volume)
        if attachment is None:
            raise VolumeError(volume=volume, action="extended", reason="it is not attached here")
        with _lock(volume):
            if attachment.backing:
                device.refresh_loop(attachment.device)
            else:
                with _as_volume_errors(attachment, "extended"):
                    self._connector.extend(attachment.connection)
            if not (container and container.alive):
                return False
            with _as_volume_errors(attachment, "extended"):
                return growth.grow_mounted(container.pid, container.id, attachment.device)

    def _connect(self, wanted: Attachment) -> Attachment:
        # First: whoever finds the record lets go of what was begun.
        self._records.keep(wanted)
        with _as_volume_errors(wanted, "connected"):
            info = self._connector.connect(wanted.volume, wanted.connection)
            path = Path(info["path"]).resolve(strict=True)
            backing = "" if stat.S_ISBLK(path.stat().st_mode) else str(path)
            found = device.loop(backing, read_only=wanted.read_only) if backing else str(path)
            self._refuse_foreign(wanted, found)
            connected = replace(wanted, device_info=info, device=found, backing=backing)
            self._records.keep(connected)
            if wanted.read_only and not backing:
                device.refuse_writes(found, refused=True)
        return connected

    def _refuse_foreign(self, wanted: Attachment, found: str) -> None:
        """Refuse a device in use by the host itself, before a record makes its release ours."""
        ours = wanted.device or self._others(wanted)
        if not ours and not device.prove_free(found, PATIENCE_FOR_PROOF):
            raise VolumeRefused(
                volume=wanted.volume, reason=f"its device {found} is in use by this host itself"
            )

    def _mount(
        self, attachment: Attachment, container: Container, owner: Owner, top: str = ""
    ) -> None:
        where = container.pid, container.id, attachment.device
        with _as_volume_errors(attachment, "mounted"):
            if mounting.places(*where):
                return
            if not self._others(attachment):  # else it was prepared for them, and is in use
                self._prepare(attachment, owner)
            mounting.mount(
                *where,
                top + attachment.place,
                read_only=attachment.read_only,
                taken=[top + each for each in self._taken(attachment)],
            )
        LOG.info("Volume %s is mounted at %s", attachment.volume, top + attachment.place)

    def _prepare(self, attachment: Attachment, owner: Owner) -> None:
        """Have a file system that the kernel may mount."""
        with _as_volume_errors(attachment, "prepared"):
            path = attachment.device
            survey = Survey(**device.survey(path))
            trust = Trust.CHECKED if attachment.ephemeral else self._trust
            step = decide(survey, attachment, trust)
            if step is Step.MAKE:
                filesystem.make(path, *owner())
                self._records.keep(replace(attachment, made=True))
            if step is Step.CHECK:
                fault = filesystem.check(path, read_only=attachment.read_only)
                if fault:
                    raise VolumeRefused(
                        volume=attachment.volume,
                        reason=f"e2fsck does not call its file system clean: {fault}",
                    )
                if not attachment.read_only and filesystem.grow(path):
                    LOG.info("The file system of volume %s has grown", attachment.volume)

    def _unmount(self, attachment: Attachment, container: Container) -> None:
        where = container.pid, container.id, attachment.device
        with _as_volume_errors(attachment, "unmounted"):
            if not mounting.unmount(*where, PATIENCE):
                names = ", ".join(holders.holders(*where)) or "a process of the server"
                raise VolumeBusy(volume=attachment.volume, holders=names)
            if self._is_free(attachment):
                return
            # In the container it looked unused, and is not: the server keeps it.
            mounting.mount(
                *where,
                attachment.place,
                read_only=attachment.read_only,
                taken=self._taken(attachment),
            )
            raise VolumeBusy(volume=attachment.volume, holders=_ANOTHER_NAMESPACE)

    def _release_alone(self, attachment: Attachment) -> None:
        with _lock(attachment.volume):
            self._release(attachment)

    def _release(self, attachment: Attachment) -> None:
        # What was written meanwhile is more than the caller may know.
        attachment = self._records.find(attachment.instance, attachment.volume) or attachment
        with _as_volume_errors(attachment, "disconnected"):
            if not self._others(attachment):
                if not self._is_free(attachment):
                    raise VolumeBusy(volume=attachment.volume, holders=_ANOTHER_NAMESPACE)
                self._disconnect(attachment)
        self._records.forget(attachment)

    def _disconnect(self, attachment: Attachment) -> None:
        if attachment.backing:
            device.unloop(attachment.device, attachment.backing)
        elif attachment.read_only and Path(attachment.device).exists():
            device.refuse_writes(attachment.device, refused=False)
        if attachment.device_info:
            self._connector.disconnect(attachment.connection, attachment.device_info)

    def _is_free(self, attachment: Attachment) -> bool:
        if not attachment.device or self._others(attachment):
            return True
        return device.prove_free(attachment.device, PATIENCE_FOR_PROOF)

    def _others(self, attachment: Attachment) -> list[Attachment]:
        return [each for each in self._records.others(attachment) if each.device]

    def _taken(self, attachment: Attachment) -> list[str]:
        others = self._records.of(attachment.instance)
        return [each.place for each in others if each.volume != attachment.volume]


def _lock(volume: str) -> AbstractContextManager[Any]:
    held: AbstractContextManager[Any] = lockutils.lock(f"novadocker-volume-{volume}")
    return held


@contextmanager
def _as_volume_errors(attachment: Attachment, action: str) -> Iterator[None]:
    """Raise errors of the host and of os-brick as ours."""
    try:
        yield
    except VolumeError:
        raise
    except Exception as error:
        # os-brick's connectors raise whatever the storage's own libraries do.
        raise VolumeError(volume=attachment.volume, action=action, reason=error) from error
