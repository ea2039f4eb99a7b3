# SPDX-License-Identifier: Apache-2.0
"""The engine's events become news for Nova: a container that ended, was frozen or thawed.

Nova ignores news of an instance that it is just working on, and what the driver itself does
to a container makes events too. So an event only puts its instance on a list; from there it
is told to Nova when Nova has finished with it, and as what the container is by then.
"""

import threading
import time
from collections.abc import Callable

from oslo_log import log as logging

from novadocker.errors import ContainerConflict, EngineError
from novadocker.virt.docker.container.labels import LABEL_INSTANCE
from novadocker.virt.docker.engine import Engine

LOG = logging.getLogger(__name__)

POLL_SECONDS = 0.2
PATIENCE_SECONDS = 600.0  # after that Nova's own power-state sync has seen it
RECONNECT_SECONDS = 1.0
AT_ONCE = 16  # instances that are told of at the same time
SLOW_SECONDS = 2.0  # an attempt that takes longer hangs
PAUSE_SECONDS = 10.0


class Follower:
    """Follower of some containers, in one thread for events and one for news.

    Args:
        engine: source of the events.
        label: "NAME=VALUE" that the containers carry.
        concerns: tells whether an event's action is worth telling.
        tell: is told an instance's id, and returns whether it is done with that; raises
            LookupError where Nova knows no such instance.
    """

    def __init__(
        self,
        engine: Engine,
        label: str,
        concerns: Callable[[str], bool],
        tell: Callable[[str], bool],
    ) -> None:
        self._engine = engine
        self._label = label
        self._concerns = concerns
        self._tell = tell
        self._pending: dict[str, float] = {}  # instance id: until when to try
        self._busy: set[str] = set()  # instances that a thread tells of now
        self._seen: set[str] = set()  # instances with a container, when last looked
        self._changed = threading.Condition()
        self._ended = threading.Event()
        self._ended.set()

    def start(self) -> bool:
        """Begin; the threads end with the process.

        Returns:
            False if they run already.
        """
        if not self._ended.is_set():
            return False
        # A new one: threads of an earlier run may not have seen yet that theirs is set.
        ended = self._ended = threading.Event()
        try:
            for target in (self._listen, self._report):
                name = f"docker{target.__name__}"
                threading.Thread(target=target, args=(ended,), name=name, daemon=True).start()
        except RuntimeError:
            # Half of a follower would be deaf or dumb for ever: a later start makes both threads.
            self.stop()
            raise
        return True

    def stop(self) -> None:
        """Let the threads end at their next turn."""
        self._ended.set()
        with self._changed:
            self._changed.notify_all()

    def _listen(self, ended: threading.Event) -> None:
        since = time.time()
        while not ended.is_set():
            try:
                self._take_stock()
                for event in self._engine.events(self._label, since):
                    since = event.nanoseconds / 10**9
                    if self._concerns(event.action) and LABEL_INSTANCE in event.labels:
                        self.note(event.labels[LABEL_INSTANCE])
            except EngineError as error:
                LOG.warning("Lost the engine's events, trying again: %s", error)
            except Exception:
                # The thread must outlive what it cannot understand.
                LOG.exception("Cannot follow the engine's events, trying again")
            ended.wait(RECONNECT_SECONDS)

    def _take_stock(self) -> None:
        # What happened while nobody listened is seen by looking; also that a container is gone,
        # since an engine that starts again has forgotten its events.
        found = self._engine.labels_by_name(self._label).values()
        present = {labels[LABEL_INSTANCE] for labels in found}
        for uuid in present | self._seen:
            self.note(uuid)
        self._seen = present

    def note(self, uuid: str) -> None:
        """Put an instance on the list of news.

        Args:
            uuid: id of the instance.
        """
        with self._changed:
            self._pending[uuid] = time.monotonic() + PATIENCE_SECONDS
            self._changed.notify_all()

    def _report(self, ended: threading.Event) -> None:
        # A thread for each: an instance whose container cannot be inspected keeps its own one
        # waiting, not the news of the others.
        while not ended.is_set():
            with self._changed:
                self._changed.wait_for(lambda: self._waiting() or ended.is_set())
                due = self._waiting()
                self._busy.update(due)
            for uuid, until in due.items():
                self._begin(uuid, until)
            ended.wait(POLL_SECONDS)

    def _begin(self, uuid: str, until: float) -> None:
        thread = threading.Thread(
            target=self._attempt, args=(uuid, until), name=f"news-{uuid}", daemon=True
        )
        try:
            thread.start()
        except RuntimeError as error:  # the limit of threads: the news stay on the list
            LOG.warning("Cannot tell Nova of instance %s yet: %s", uuid, error)
            with self._changed:
                self._busy.discard(uuid)

    def _waiting(self) -> dict[str, float]:
        free = AT_ONCE - len(self._busy)
        waiting = [each for each in self._pending.items() if each[0] not in self._busy]
        return dict(waiting[: max(free, 0)])

    def _attempt(self, uuid: str, until: float) -> None:
        begun = time.monotonic()
        try:
            if self._done_with(uuid) or time.monotonic() > until:
                self._forget(uuid, until)
            elif time.monotonic() - begun > SLOW_SECONDS:
                time.sleep(PAUSE_SECONDS)  # others have their turn before the next attempt
        finally:
            with self._changed:
                self._busy.discard(uuid)
                if uuid in self._pending:  # to the end of the line
                    self._pending[uuid] = self._pending.pop(uuid)
                self._changed.notify_all()

    def _forget(self, uuid: str, until: float) -> None:
        with self._changed:
            if self._pending.get(uuid) == until:  # else there is something newer to tell
                del self._pending[uuid]

    def _done_with(self, uuid: str) -> bool:
        try:
            return self._tell(uuid)
        except (LookupError, ContainerConflict):
            return True  # Nova does not know it, or we do not
        except EngineError as error:
            LOG.debug("Cannot look at the container of %s: %s", uuid, error)
            return False
        except Exception:
            # Nova's conductor may be away; the news waits.
            LOG.exception("Cannot tell Nova of instance %s", uuid)
            return False
