# SPDX-License-Identifier: Apache-2.0
"""Note on the source that a server was handed over, which only the destination can take back.

From the moment that it is written the destination may let the server run. The frozen container
here must not, unless the destination says that it does not have it.
"""

import json
from dataclasses import asdict, dataclass
from errno import EINVAL, ENOENT
from typing import Self

from novadocker.errors import HandedOver
from novadocker.virt.docker.checkpoint.places import handover_of
from novadocker.virt.docker.checkpoint.privileged import dumping
from novadocker.virt.docker.engine import Engine


@dataclass(frozen=True)
class Handover:
    """A server that was handed over.

    Attributes:
        uuid: Nova's id of the server.
        migration: id of Nova's migration.
        container: engine's id of the frozen container here.
        host: name of the destination in Nova.
        source: name of this host in Nova.
    """

    uuid: str
    migration: str
    container: str
    host: str
    source: str

    @classmethod
    def find(cls, uuid: str) -> Self | None:
        """Return the note about a server; None without one.

        Args:
            uuid: Nova's id of the server.
        """
        try:
            text = handover_of(uuid).read_text(encoding="utf-8")
        except OSError as error:
            if error.errno in (ENOENT, EINVAL):  # EINVAL: no id of a server, so no note
                return None
            raise
        return cls(**json.loads(text))

    def keep(self) -> None:
        """Write the note, durably."""
        dumping.keep_handover(self.uuid, json.dumps(asdict(self)))

    def forget(self) -> None:
        """Remove the note; safe to repeat."""
        dumping.keep_handover(self.uuid, "")


def refuse_handed_over(engine: Engine, uuid: str, name: str) -> None:
    """Refuse to change a server that another host may run.

    Args:
        engine: Docker Engine of this host.
        uuid: Nova's id of the server.
        name: name of its container.

    Raises:
        HandedOver: the note is about the container that is here now.
    """
    note = Handover.find(uuid)
    if note is None:
        return
    container = engine.find(name)
    if container and container.id == note.container:
        raise HandedOver(host=note.host)
