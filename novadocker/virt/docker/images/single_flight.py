# SPDX-License-Identifier: Apache-2.0
"""Work wanted by several threads at the same time and done once."""

import threading
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import CancelledError, Future
from typing import Generic, TypeVar

from oslo_context import context as oslo_context

T = TypeVar("T")

_LOOK_SECONDS = 1.0


class Task(Generic[T]):
    """Piece of work and the threads in wait."""

    def __init__(self) -> None:
        self.future: Future[T] = Future()
        self.waiting = 0
        self.unwanted = threading.Event()

    def expect_wanted(self) -> None:
        """Return, unless nobody waits for the work any more.

        Raises:
            CancelledError: nobody does.
        """
        if self.unwanted.is_set():
            raise CancelledError


class SingleFlight(Generic[T]):
    """Runner of a piece of work, once for all concurrent callers, in a thread of its own.

    Nothing is remembered: who asks after the end starts anew.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, Task[T]] = {}

    def run(
        self,
        key: str,
        work: Callable[[Callable[[], None]], T],
        on_wait: Callable[[], None] = lambda: None,
    ) -> T:
        """Have the work done, or wait while another thread has it done.

        There is no time limit: the work has one for each of its calls.

        Args:
            key: identity of the piece of work.
            work: is called once or not at all, with a function that raises CancelledError
                when nobody waits any more; the work calls it where it can be given up.
            on_wait: is called every second while this thread waits, and may end that by an
                exception.

        Returns:
            What the work returned, to every thread the same; an exception likewise.
        """
        while True:
            task = self._join(key, work)
            if task is None:
                on_wait()
                continue
            try:
                return _result(task.future, on_wait)
            finally:
                self._leave(task)

    def _join(self, key: str, work: Callable[[Callable[[], None]], T]) -> Task[T] | None:
        with self._lock:
            task = self._running.get(key)
            if task and task.unwanted.is_set():
                ending = task
            else:
                if task is None:
                    task = Task()
                    # A process at its limit of threads starts none: the key stays free then.
                    self._start(key, work, task)
                    self._running[key] = task
                task.waiting += 1
                return task
        # It is being given up, and what it did undone; then it can be begun anew.
        _wait(ending.future, _LOOK_SECONDS)
        return None

    def _leave(self, task: Task[T]) -> None:
        with self._lock:
            task.waiting -= 1
            if not task.waiting and not task.future.done():
                task.unwanted.set()

    def _start(self, key: str, work: Callable[[Callable[[], None]], T], task: Task[T]) -> None:
        request = oslo_context.get_current()

        def run() -> None:
            if request:
                request.update_store()  # for the log, which names the first who asked
            self._do(key, work, task)

        threading.Thread(target=run, name=f"flight-{key}", daemon=True).start()

    def _do(self, key: str, work: Callable[[Callable[[], None]], T], task: Task[T]) -> None:
        try:
            result = work(task.expect_wanted)
        except BaseException as error:  # noqa: BLE001 - all of it reaches all who wait
            self._end(key)
            task.future.set_exception(error)
        else:
            self._end(key)
            task.future.set_result(result)

    def _end(self, key: str) -> None:
        with self._lock:
            del self._running[key]


def _result(future: Future[T], on_wait: Callable[[], None]) -> T:
    while not _wait(future, _LOOK_SECONDS):
        on_wait()
    return future.result()


def _wait(future: Future[T], seconds: float) -> bool:
    # Not by result(timeout): the work itself may have failed by a TimeoutError.
    return bool(futures.wait([future], seconds).done)
