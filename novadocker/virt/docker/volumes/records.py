# SPDX-License-Identifier: Apache-2.0
"""Records of connected volumes: the truth about the devices to be let go by the host.

Nova's own record follows a server to its next host; ours stays with the device. A record is
written before its volume is connected and removed after the proof that nobody holds it.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from novadocker.virt.docker.volumes.values import Attachment


class Records:
    """Files below one directory: ``<instance>/<volume>.json``.

    Args:
        directory: made when it is needed; only the service may enter, since connections hold
            secrets of the storage.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def keep(self, attachment: Attachment) -> None:
        """Write a record, in place of an older one.

        Args:
            attachment: value to keep; instance and volume name the file.
        """
        path = self._path(attachment.instance, attachment.volume)
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        fresh = path.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(attachment), file)
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)

    def find(self, instance: str, volume: str) -> Attachment | None:
        """Return a record, or None.

        Args:
            instance: Nova's id.
            volume: Cinder's id.
        """
        path = self._path(instance, volume)
        return _read(path) if path.exists() else None

    def of(self, instance: str) -> list[Attachment]:
        """Return all records of a server.

        Args:
            instance: Nova's id.
        """
        return [_read(path) for path in sorted((self._directory / instance).glob("*.json"))]

    def others(self, attachment: Attachment) -> list[Attachment]:
        """Return records of other servers with the same volume.

        Args:
            attachment: value with the instance and the volume.
        """
        return list(self._others(attachment.instance, attachment.volume))

    def holders(self, volume: str) -> set[str]:
        """Return the servers of the host with a volume.

        Args:
            volume: Cinder's id.
        """
        return {path.parent.name for path in self._directory.glob(f"*/{volume}.json")}

    def forget(self, attachment: Attachment) -> None:
        """Remove a record; absence is no error.

        Args:
            attachment: value with the instance and the volume.
        """
        path = self._path(attachment.instance, attachment.volume)
        path.unlink(missing_ok=True)
        if path.parent.exists() and not any(path.parent.iterdir()):
            path.parent.rmdir()

    def _others(self, instance: str, volume: str) -> Iterator[Attachment]:
        for path in self._directory.glob(f"*/{volume}.json"):
            if path.parent.name != instance:
                yield _read(path)

    def _path(self, instance: str, volume: str) -> Path:
        return self._directory / instance / f"{volume}.json"


def _read(path: Path) -> Attachment:
    return Attachment(**json.loads(path.read_text(encoding="utf-8")))
