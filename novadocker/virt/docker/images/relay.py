# SPDX-License-Identifier: Apache-2.0
"""Bytes made by a thread and used by another meanwhile."""

import contextlib
import queue
import threading
from collections.abc import Callable, Generator, Iterable

DEPTH = 4
_LOOK_SECONDS = 1.0


class _End:
    """Comes after the last piece."""

    def __init__(self, fault: BaseException | None = None) -> None:
        self.fault = fault


def relayed(
    pieces: Iterable[bytes],
    expect_wanted: Callable[[], None] = lambda: None,
    depth: int = DEPTH,
) -> Generator[bytes]:
    """Yield the pieces of an iterator that runs in a thread of its own.

    Hashing and both ends of a connection let other threads run, so that one image is received,
    checked and sent at the same time. Closing it ends the thread at its next piece.

    Args:
        pieces: where they come from; what they raise is raised here.
        expect_wanted: is called at every piece, and every second while none comes.
        depth: how many pieces may wait.

    Yields:
        The same pieces.
    """
    waiting: queue.Queue[bytes | _End] = queue.Queue(depth)
    closed = threading.Event()
    threading.Thread(target=_run, args=(pieces, waiting, closed), daemon=True).start()
    try:
        while True:
            expect_wanted()
            with contextlib.suppress(queue.Empty):
                piece = waiting.get(timeout=_LOOK_SECONDS)
                if isinstance(piece, _End):
                    if piece.fault:
                        raise piece.fault
                    return
                yield piece
    finally:
        closed.set()


def _run(
    pieces: Iterable[bytes], waiting: "queue.Queue[bytes | _End]", closed: threading.Event
) -> None:
    end = _End()
    pieces = iter(pieces)
    try:
        for piece in pieces:
            if not _put(waiting, piece, closed):
                return
    except BaseException as fault:  # noqa: BLE001 - it is raised where the pieces are used
        end = _End(fault)
    finally:
        if close := getattr(pieces, "close", None):
            close()
    _put(waiting, end, closed)


def _put(
    waiting: "queue.Queue[bytes | _End]", piece: bytes | _End, closed: threading.Event
) -> bool:
    while not closed.is_set():
        with contextlib.suppress(queue.Full):
            waiting.put(piece, timeout=_LOOK_SECONDS)
            return True
    return False
