# SPDX-License-Identifier: Apache-2.0
"""Departures of servers' networks from Neutron's account, each told once in the log."""

import threading
from collections.abc import Collection

from oslo_log import log

LOG = log.getLogger(__name__)


class Remarks:
    """Remarks already told, by server: an audit each minute must not fill the log."""

    def __init__(self) -> None:
        self._told: dict[str, frozenset[str]] = {}
        self._lock = threading.Lock()

    def tell(self, uuid: str, remarks: Collection[str]) -> None:
        """Warn of new remarks; a remark told before and ceased since is new when found again.

        Args:
            uuid: instance's id.
            remarks: all that hold now, as sentences.
        """
        with self._lock:
            told = self._told.pop(uuid, frozenset())
            if remarks:
                self._told[uuid] = frozenset(remarks)
        for remark in remarks:
            if remark not in told:
                LOG.warning("Network of server %s: %s", uuid, remark)

    def forget(self, uuid: str) -> None:
        """Forget a server on the loss of ports, perhaps for good.

        Args:
            uuid: instance's id.
        """
        with self._lock:
            self._told.pop(uuid, None)
