# SPDX-License-Identifier: Apache-2.0
"""Record of a server's complete checkpoint: the one thing that makes the server suspended."""

import json
from dataclasses import asdict, dataclass
from typing import Self

from novadocker.virt.docker.checkpoint.places import record_of
from novadocker.virt.docker.engine import Container


@dataclass(frozen=True)
class Record:
    """Checkpoint of one run of a container.

    Attributes:
        container: engine's id of the container.
        started_at: begin of that run, by the engine. A later start makes the checkpoint stale:
            the files have gone on without its memory.
        uid_map: map of users, as in ``/proc/PID/uid_map`` with single blanks.
        gid_map: map of groups.
        size: bytes of the checkpoint.
    """

    container: str
    started_at: str
    uid_map: str
    gid_map: str
    size: int

    @classmethod
    def find(cls, uuid: str) -> Self | None:
        """Return the record of a server's checkpoint; None without one.

        Args:
            uuid: Nova's id of the server.
        """
        try:
            text = record_of(uuid).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        return cls(**json.loads(text))

    def written(self) -> str:
        """Return the record as text."""
        return json.dumps(asdict(self))

    def fits(self, container: Container) -> bool:
        """Compare with a container, which has not been started since if they fit.

        Args:
            container: state of the container at the moment.
        """
        return container.id == self.container and container.started_at == self.started_at
