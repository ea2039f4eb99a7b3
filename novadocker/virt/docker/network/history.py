# SPDX-License-Identifier: Apache-2.0
"""Attachments and detachments of ports that Nova's record may not show yet."""

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_OF_INTEREST = 3600.0  # seconds: nobody looks at a record of Nova's that is so old


@dataclass
class _Server:
    """Last changes of one server's ports.

    Attributes:
        changed: moment of the last, by the monotonic clock.
        detached: ids of ports detached since the server's start.
    """

    changed: float
    detached: set[str] = field(default_factory=set)


class History:
    """Last changes of ports of one host's running servers.

    A server is forgotten an hour after its last change: deleted ones leave nothing behind.
    """

    def __init__(self) -> None:
        self._servers: dict[str, _Server] = {}
        self._lock = threading.Lock()

    def attach(self, uuid: str, port: str) -> None:
        """Note the attachment of a port.

        Args:
            uuid: instance's id.
            port: port's id.
        """
        with self._lock:
            self._note(uuid).detached.discard(port)

    def detach(self, uuid: str, port: str) -> None:
        """Note the detachment of a port.

        Args:
            uuid: instance's id.
            port: port's id.
        """
        with self._lock:
            self._note(uuid).detached.add(port)

    def start(self, uuid: str) -> None:
        """Note a server's start, with the ports of Nova's record.

        Args:
            uuid: instance's id.
        """
        with self._lock:
            self._note(uuid).detached.clear()

    def is_older(self, uuid: str, moment: float) -> bool:
        """Tell whether the last change was before a moment.

        Args:
            uuid: instance's id.
            moment: time by the monotonic clock.

        Returns:
            True also for a server without any change.
        """
        with self._lock:
            server = self._servers.get(uuid)
            return server is None or server.changed < moment

    def detached(self, uuid: str, told: Iterable[Mapping[str, Any]]) -> frozenset[str]:
        """List the detached ports still in Nova's record.

        Args:
            uuid: instance's id.
            told: Nova's VIFs; a detached port missing here is forgotten.

        Returns:
            Ids of those ports.
        """
        with self._lock:
            server = self._servers.get(uuid)
            if server is None:
                return frozenset()
            server.detached &= {vif["id"] for vif in told}
            return frozenset(server.detached)

    def _note(self, uuid: str) -> _Server:
        now = time.monotonic()
        self._servers = {
            each: server
            for each, server in self._servers.items()
            if now - server.changed < _OF_INTEREST
        }
        server = self._servers.setdefault(uuid, _Server(now))
        server.changed = now
        return server
