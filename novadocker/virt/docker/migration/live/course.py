# SPDX-License-Identifier: Apache-2.0
"""One move of a running server under way: how far it is, and whether it may still be aborted."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from novadocker.errors import MoveAborted

_TELL_SECONDS = 1.0


@dataclass(frozen=True)
class Progress:
    """Bytes of one move.

    Attributes:
        disk_total: bytes of files, as measured at the begin.
        disk: bytes of files on their way so far.
        memory_total: bytes of memory; 0 before the server is frozen.
        memory: bytes of memory on their way so far.
    """

    disk_total: int = 0
    disk: int = 0
    memory_total: int = 0
    memory: int = 0


class Course:
    """One move under way.

    Args:
        tell: takes news of the progress, at most once a second.
    """

    def __init__(self, tell: Callable[[Progress], None]) -> None:
        self._tell = tell
        self._told = 0.0
        self._aborted = False
        self._over = False
        self._lock = threading.Lock()
        self.progress = Progress()

    def abort(self) -> bool:
        """End the move at its next step.

        Returns:
            False where it is too late: the destination may run the server.
        """
        with self._lock:
            self._aborted = self._aborted or not self._over
            return self._aborted

    def go_on(self) -> None:
        """Go on, unless the move was aborted.

        Raises:
            MoveAborted: it was.
        """
        if self._aborted:
            raise MoveAborted

    def decide(self) -> None:
        """Pass the point after which nobody can abort.

        Raises:
            MoveAborted: somebody did before.
        """
        with self._lock:
            self.go_on()
            self._over = True

    def update(self, **changes: int) -> None:
        """Note and tell progress.

        Args:
            **changes: fields of ``Progress``.
        """
        self.progress = replace(self.progress, **changes)
        if time.monotonic() - self._told >= _TELL_SECONDS:
            self._told = time.monotonic()
            self._tell(self.progress)

    def files(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Count pieces of files on their way.

        Yields:
            The same pieces.

        Raises:
            MoveAborted: the move was aborted.
        """
        for piece in pieces:
            self.go_on()
            yield piece
            self.update(disk=self.progress.disk + len(piece))

    def pages(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Count pieces of memory on their way.

        Yields:
            The same pieces.

        Raises:
            MoveAborted: the move was aborted.
        """
        for piece in pieces:
            self.go_on()
            yield piece
            self.update(memory=self.progress.memory + len(piece))
