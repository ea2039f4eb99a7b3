# SPDX-License-Identifier: Apache-2.0
"""Work on one server after another, of which no server ends or stalls the work on the others.

nova-compute does some things for all servers of a host: repairs at its start, audits of
networks. A server whose work fails is told of once; a server whose work hangs is passed over
until that work has ended, and costs the others no more than one time limit.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping

from oslo_log import log as logging

LOG = logging.getLogger(__name__)

AT_ONCE = 32
SECONDS = 5.0  # enough for a healthy server on a busy host
POLL_SECONDS = 0.1


class Pace:
    """Time limit of work that is done for many servers at once, by the time of the others.

    A start of nova-compute must not take seconds longer for servers that hang. Work that takes
    several times as long as the work on the slowest other server, at the same time on the same
    host, hangs.

    Args:
        most: time limit while nothing has ended, in seconds.
    """

    TIMES = 3.0
    LEAST = 0.5

    def __init__(self, most: float) -> None:
        self._most = most
        self._longest: float | None = None

    def note(self, seconds: float) -> None:
        """Note the time of work that has ended."""
        self._longest = max(seconds, self._longest or 0.0)

    def limit(self) -> float:
        """Return the present time limit in seconds."""
        if self._longest is None:
            return self._most
        return min(self._most, max(self.LEAST, self.TIMES * self._longest))


class EachServer:
    """Attempts of one purpose for the servers of one host; safe to use from many threads.

    Args:
        purpose: the work in words, for messages.
        seconds: longest wait for one server.
    """

    def __init__(self, purpose: str, seconds: float = SECONDS) -> None:
        self._purpose = purpose
        self._seconds = seconds
        self._lock = threading.Lock()
        self._running: dict[str, threading.Event] = {}
        self._told: dict[str, str] = {}

    def attempt(self, uuid: str, work: Callable[[], None], pace: Pace | None = None) -> bool:
        """Do the work for one server, and wait for its end for a limited time.

        Args:
            uuid: id of the instance.
            work: the work; goes on after the time limit, in its own thread.
            pace: time limit that others' work decides on.

        Returns:
            False if the work failed, is not over yet, or an earlier attempt still hangs.
        """
        ended = threading.Event()
        with self._lock:
            if uuid in self._running:
                return False
            self._running[uuid] = ended
        failures: list[str] = []
        thread = threading.Thread(
            target=self._do,
            args=(uuid, work, ended, failures),
            name=f"{self._purpose} {uuid}",
            daemon=True,
        )
        try:
            thread.start()
        except RuntimeError as error:  # the limit of threads: another turn will come
            self._end(uuid, ended)
            self._tell(uuid, str(error))
            return False
        seconds = _waited(ended, pace or Pace(self._seconds))
        if not ended.is_set():
            self._tell(uuid, f"not over after {seconds:.1f} s; passed over until then")
            return False
        return not failures

    def hangs(self, uuid: str) -> bool:
        """Tell whether the work for a server is not over yet.

        Args:
            uuid: id of the instance.
        """
        with self._lock:
            return uuid in self._running

    def attempt_all(self, work: Mapping[str, Callable[[], None]]) -> None:
        """Do the work for many servers, some at once; return when each has had its time.

        Args:
            work: the work by the ids of the instances.
        """
        left, pace = iter(work.items()), Pace(self._seconds)
        threads = [
            threading.Thread(target=self._take, args=(left, pace), name=self._purpose, daemon=True)
            for _ in range(min(AT_ONCE, len(work)))
        ]
        started = [thread for thread in threads if _is_started(thread)]
        if not started:  # at the limit of threads: one after another, by this one
            self._take(left, pace)
        for thread in started:
            thread.join()

    def _take(self, left: Iterator[tuple[str, Callable[[], None]]], pace: Pace) -> None:
        while True:
            with self._lock:
                following = next(left, None)
            if following is None:
                return
            self.attempt(*following, pace)

    def _do(
        self, uuid: str, work: Callable[[], None], ended: threading.Event, failures: list[str]
    ) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
            failures.append(f"{type(error).__name__}: {error}")
        finally:
            # Told before the end is: whoever waits for it finds the message in the log.
            self._tell(uuid, failures[0] if failures else "")
            self._end(uuid, ended)

    def _end(self, uuid: str, ended: threading.Event) -> None:
        with self._lock:
            self._running.pop(uuid, None)
        ended.set()

    def _tell(self, uuid: str, failure: str) -> None:
        # Once for each reason: an audit comes back every minute.
        with self._lock:
            if self._told.get(uuid, "") == failure:
                return
            if failure:
                self._told[uuid] = failure
            else:
                del self._told[uuid]
        if failure:
            LOG.warning("Cannot %s of server %s: %s", self._purpose, uuid, failure)
        else:
            LOG.info("Could %s of server %s again", self._purpose, uuid)


def _waited(ended: threading.Event, pace: Pace) -> float:
    begun = time.monotonic()
    while (seconds := time.monotonic() - begun) < pace.limit():
        if ended.wait(min(POLL_SECONDS, pace.limit() - seconds)):
            pace.note(time.monotonic() - begun)
            break
    return seconds


def _is_started(thread: threading.Thread) -> bool:
    try:
        thread.start()
    except RuntimeError:
        return False
    return True
