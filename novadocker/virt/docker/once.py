# SPDX-License-Identifier: Apache-2.0
"""Work that several threads ask for at the same time and one of them does."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """Runs a piece of work once for all who ask while it runs.

    Nothing is remembered: who asks after the end starts anew.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, Future[T]] = {}

    def do(self, key: str, work: Callable[[], T]) -> T:
        """Do the work, or wait for the thread that is doing it.

        There is no time limit: the thread that works has one for each of its calls.

        Args:
            key: what tells one piece of work from another.
            work: is called in this thread, or not at all.

        Returns:
            What the work returned, to every thread the same; an exception likewise.
        """
        with self._lock:
            future = self._running.get(key)
            if first := future is None:
                future = self._running[key] = Future()
        if first:
            self._run(key, work, future)
        return future.result()

    def _run(self, key: str, work: Callable[[], T], future: Future[T]) -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - all of it reaches all who wait
            self._end(key)
            future.set_exception(error)
        else:
            self._end(key)
            future.set_result(result)

    def _end(self, key: str) -> None:
        with self._lock:
            del self._running[key]
