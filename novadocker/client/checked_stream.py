# SPDX-License-Identifier: Apache-2.0
"""Archive readable only once, examined on the way to another reader."""

import contextlib
import queue
import threading
from collections.abc import Callable, Iterable, Iterator

from novadocker.client.examination import Examination, Examined

# Bounds memory: the reader's thread waits where the checker falls behind.
_WAITING = 8


class Passing:
    """Gives an archive's bytes unchanged, but never the last of an unsound one.

    The reader of these bytes asks for them when it likes, and so does the checker for its
    own: it runs in a thread beside. A fault is raised to the reader in place of the next bytes.

    Args:
        chunks: the archive; asked for in the reader's thread.
        begin: makes the examination of the chunks that it is given.
    """

    def __init__(
        self, chunks: Iterable[bytes], begin: Callable[[Iterable[bytes]], Examination]
    ) -> None:
        self._chunks = chunks
        self._queue: queue.Queue[bytes | None] = queue.Queue(_WAITING)
        self._queue_ended = False
        self._examination = begin(self._queued())
        self._fault: Exception | None = None

    @property
    def examined(self) -> Examined:
        """Findings, once all was read."""
        return self._examination.result

    def __iter__(self) -> Iterator[bytes]:
        with self._examining() as finish:
            # One chunk is held back: a fault found at the end must still keep the last bytes
            # from the reader.
            held = b""
            for chunk in self._chunks:
                self._queue.put(chunk)
                self._raise_fault()
                if held:
                    yield held
                held = chunk
            finish()
            self._raise_fault()
            if held:
                yield held

    @contextlib.contextmanager
    def _examining(self) -> Iterator[Callable[[], None]]:
        thread = threading.Thread(target=self._examine, daemon=True)
        thread.start()

        def finish() -> None:
            self._queue.put(None)
            thread.join()

        try:
            yield finish
        finally:
            # Where the reader gave up, the examination sees an archive that is cut off.
            if thread.is_alive():
                finish()

    def _queued(self) -> Iterator[bytes]:
        while (chunk := self._queue.get()) is not None:
            yield chunk
        self._queue_ended = True

    def _examine(self) -> None:
        try:
            self._examination.run()
        except Exception as fault:  # noqa: BLE001 - it is raised in the reader's thread
            self._fault = fault
        # Whoever puts must never wait for somebody who takes no more.
        while not self._queue_ended:
            self._queue_ended = self._queue.get() is None

    def _raise_fault(self) -> None:
        if self._fault:
            raise self._fault
