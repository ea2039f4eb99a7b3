# SPDX-License-Identifier: Apache-2.0
"""Audit of networks: a running server's interfaces compared with the plan, and repaired.

Somebody takes a port out of the switch, an agent starts with empty hands, a host end goes. A
turn changes nothing where nothing is wrong, and goes on past servers that fail or hang.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from oslo_log import log as logging

from novadocker.virt.docker.host.each_server import EachServer
from novadocker.virt.docker.network.networking import Network
from novadocker.virt.docker.telemetry import figures

LOG = logging.getLogger(__name__)

# Nova's timer has about the same period: without a margin a turn that is due a moment after
# the timer comes would wait for the next, and take place each second time.
_NEARLY = 0.9


@dataclass(frozen=True)
class Audited:
    """A server whose network is compared.

    Attributes:
        uuid: id of the instance.
        hostname: the server's name.
        network: ports that Nova recorded at ``seen_at``.
        seen_at: moment of that record, in seconds of the monotonic clock.
    """

    uuid: str
    hostname: str
    network: Network
    seen_at: float


class NetworkAudit:
    """Audit of the networks of one host's servers, in a thread of its own at each turn.

    Args:
        servers: lists the servers that Nova has no task for.
        look_after: repairs the network of one server, and returns the changes as words.
        interval: seconds from one turn to the next; 0 for never.
    """

    def __init__(
        self,
        servers: Callable[[], Iterable[Audited]],
        look_after: Callable[[Audited], list[str]],
        interval: float,
    ) -> None:
        self._servers = servers
        self._look_after = look_after
        self._interval = interval
        self._last = time.monotonic()  # when all ports have just been looked after: at start
        self._turn = threading.Lock()
        self._ended = threading.Event()
        self._each = EachServer("look after the network")

    def poke(self) -> None:
        """Begin a turn once the interval is over; called with Nova's periodic tasks."""
        is_due = self._interval and time.monotonic() - self._last >= self._interval * _NEARLY
        if is_due and not self._ended.is_set() and self._turn.acquire(blocking=False):
            self._last = time.monotonic()
            try:
                threading.Thread(target=self._take_turn, name="network-audit", daemon=True).start()
            except RuntimeError as error:  # the limit of threads: the next timer tries again
                self._turn.release()
                LOG.warning("Cannot look after the networks of servers: %s", error)

    def start(self) -> None:
        """Let turns begin again after a stop."""
        self._ended.clear()

    def stop(self) -> None:
        """Let the turn end at its next server."""
        self._ended.set()

    def _take_turn(self) -> None:
        try:
            for server in self._servers():
                if self._ended.is_set():
                    return
                self._each.attempt(server.uuid, partial(self._audit, server))
        except Exception:
            # Nova's conductor may be away; there is another turn.
            LOG.exception("Cannot look after the networks of servers")
        finally:
            self._turn.release()

    def _audit(self, server: Audited) -> None:
        changes = self._look_after(server)
        if changes:
            figures.REPAIRS.inc()
            LOG.warning("Repaired the network of server %s: %s", server.uuid, "; ".join(changes))
