# SPDX-License-Identifier: Apache-2.0
"""Probes of all servers on a host, instead of the engine's own health checks.

The engine probes as soon as a container runs, gate or not. The driver probes behind the gate.
One thread keeps the time; a few others talk with the engine, and none waits for a program of an
image: a slow probe costs an open connection and no thread.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from oslo_log import log as logging

from novadocker.virt.docker.container.labels import LABEL_INSTANCE, LABEL_PROBE
from novadocker.virt.docker.container.probing import Watch
from novadocker.virt.docker.engine import Container, Engine, Health, Probe

LOG = logging.getLogger(__name__)

THREADS = 4
CALL_SECONDS = 10  # for the engine to answer about one container
POLL_SECONDS = 0.2


class Prober:
    """Probes of one host's servers; safe to use from many threads.

    Args:
        engine: home of the containers.
        instances: directory of all instances.
    """

    def __init__(self, engine: Engine, instances: Path) -> None:
        self._engine = engine
        self._instances = instances
        self._changed: Callable[[str], None] = lambda _: None
        self._lock = threading.Lock()
        self._watches: dict[str, Watch] = {}
        self._ended = threading.Event()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="probe")
        self._thread = threading.Thread(target=self._run, name="prober", daemon=True)

    def start(self, changed: Callable[[str], None]) -> None:
        """Begin to probe the servers that are followed.

        Args:
            changed: called with an instance's id when its health is another.
        """
        # A client of its own: a container that does not answer keeps a thread no longer.
        self._engine = Engine(replace(self._engine.connection, timeout=CALL_SECONDS))
        self._changed = changed
        self._thread.start()

    def stop(self) -> None:
        """End soon; a probe under way is forgotten."""
        self._ended.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def follow(self, uuid: str, container: Container | None) -> Health | None:
        """Probe a server while its container runs; safe to repeat.

        Args:
            uuid: id of the instance.
            container: container in service, as it is now.

        Returns:
            The server's health; None without a HEALTHCHECK or a running container.
        """
        written = container.labels.get(LABEL_PROBE) if container and container.alive else None
        with self._lock:
            watch = self._watches.get(uuid)
            if watch and not (written and container and watch.same_run(container)):
                self._let_go(watch)
                del self._watches[uuid]
                watch = None
            if written and container and not watch:
                directory = self._instances / container.labels[LABEL_INSTANCE]
                watch = Watch(self._engine, container, Probe.read(written), directory)
                self._watches[uuid] = watch
        if watch:
            return watch.health
        return container.health if container else None

    def health(self, uuid: str) -> Health | None:
        """Return a followed server's health.

        Args:
            uuid: id of the instance.

        Returns:
            The health; None for a server not followed.
        """
        watch = self._watches.get(uuid)
        return watch.health if watch else None

    def _run(self) -> None:
        while not self._ended.wait(POLL_SECONDS):
            with self._lock:
                watches = list(self._watches.items())
            for uuid, watch in watches:
                self._turn(uuid, watch)
        with self._lock:
            for watch in self._watches.values():
                self._let_go(watch)

    def _turn(self, uuid: str, watch: Watch) -> None:
        if watch.busy or watch.over or not watch.step(time.monotonic()):
            return
        watch.busy = True
        try:
            self._pool.submit(self._take, uuid, watch)
        except RuntimeError:  # the pool has ended, and so will this thread
            watch.busy = False

    def _take(self, uuid: str, watch: Watch) -> None:
        before = watch.health.status
        try:
            watch.take()
        except Exception:
            # One server's probe must not end the others'.
            LOG.exception("The probe of %s failed", watch.container.name)
            watch.over = True
        with self._lock:
            watch.busy = False
            if watch.over or self._watches.get(uuid) is not watch:
                watch.close()
        if watch.health.status is not before:
            self._changed(uuid)

    def _let_go(self, watch: Watch) -> None:
        watch.over = True
        if not watch.busy:  # else its thread does
            watch.close()
