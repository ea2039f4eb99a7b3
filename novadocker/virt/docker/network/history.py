# SPDX-License-Identifier: Apache-2.0
"""Which ports came to servers that run, and went: what Nova's record may not show yet."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

_OF_INTEREST = 3600.0  # seconds: nobody looks at a record of Nova's that is so old


class History:
    """The last changes of ports of one host's running servers."""

    def __init__(self) -> None:
        self._changed: dict[str, float] = {}
        self._detached: defaultdict[str, set[str]] = defaultdict(set)
        self._lock = threading.Lock()

    def attach(self, uuid: str, port: str) -> None:
        """Note that a server gets a port.

        Args:
            uuid: of the instance.
            port: the port's id.
        """
        with self._lock:
            self._note(uuid)
            self._detached[uuid].discard(port)

    def detach(self, uuid: str, port: str) -> None:
        """Note that a server loses a port.

        Args:
            uuid: of the instance.
            port: the port's id.
        """
        with self._lock:
            self._note(uuid)
            self._detached[uuid].add(port)

    def start(self, uuid: str) -> None:
        """Note that a server starts, with the ports that Nova has.

        Args:
            uuid: of the instance.
        """
        with self._lock:
            self._note(uuid)
            self._detached.pop(uuid, None)

    def is_older(self, uuid: str, moment: float) -> bool:
        """Tell whether the last change was before a moment.

        Args:
            uuid: of the instance.
            moment: by the monotonic clock.

        Returns:
            Whether it was, or there was none.
        """
        with self._lock:
            return self._changed.get(uuid, moment - 1) < moment

    def detached(self, uuid: str, told: Iterable[Mapping[str, Any]]) -> frozenset[str]:
        """Say which ports are detached though Nova tells of them still.

        Args:
            uuid: of the instance.
            told: Nova's VIFs; what they no longer show is forgotten here.

        Returns:
            The ids of those ports.
        """
        with self._lock:
            self._detached[uuid] &= {vif["id"] for vif in told}
            left = frozenset(self._detached[uuid])
            if not left:
                del self._detached[uuid]
            return left

    def _note(self, uuid: str) -> None:
        now = time.monotonic()
        recent = {each: when for each, when in self._changed.items() if now - when < _OF_INTEREST}
        self._changed = {**recent, uuid: now}
