# SPDX-License-Identifier: Apache-2.0
"""Ephemeral disks of servers: files of this host, mounted as volumes are, gone with their server.

Each is a file system of its own, so that its size is a limit. Its content is written through the
kernel alone and never by a tenant's hand, hence the operator's choice for volumes is not asked.
"""

import shutil
from pathlib import Path

from novadocker.errors import ResizeRefused
from novadocker.policy import GIB
from novadocker.virt.docker.volumes.values import Attachment

PLACE = "/ephemeral"
NAME = "ephemeral"


class EphemeralDisks:
    """Files below one directory: ``<instance>/ephemeral<number>``.

    Args:
        directory: made when it is needed; only the service may enter.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def ensure(self, instance: str, number: int, gib: int) -> Attachment:
        """Make the file of a disk, sparse, unless it is there already.

        Args:
            instance: Nova's id of the server.
            number: position among the server's ephemeral disks, from 0.
            gib: size in GiB; one that is there keeps its own.

        Returns:
            The disk as an attachment, not connected yet.
        """
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self._directory / instance / f"{NAME}{number}"
        file.parent.mkdir(mode=0o700, exist_ok=True)
        if not file.exists():
            fresh = file.with_suffix(".new")
            with fresh.open("wb") as made:
                made.truncate(gib * GIB)
            # Named last: a file of the right name has its size, whenever the service died.
            fresh.rename(file)
        return Attachment(
            volume=f"{instance}-{file.name}",
            instance=instance,
            place=f"{PLACE}{number}",
            # As os-brick's unmodified connector knows a disk that is here already.
            connection={"driver_volume_type": "local", "data": {"device_path": str(file)}},
            ephemeral=True,
        )

    def refuse_departure(self, instance: str) -> None:
        """Refuse to let a server go to another host without its disks.

        Args:
            instance: Nova's id of the server.

        Raises:
            ResizeRefused: it has ephemeral disks here.
        """
        if (self._directory / instance).exists():
            raise ResizeRefused(
                reason="its ephemeral disks are files of this host, and would be lost on another; "
                "keep the host, or copy what is on them to a volume and make the server anew"
            )

    def remove(self, instance: str) -> None:
        """Remove the disks of a server with their content; absence is no error.

        Args:
            instance: Nova's id of the server, whose disks have been let go.
        """
        directory = self._directory / instance
        if directory.exists():
            shutil.rmtree(directory)
