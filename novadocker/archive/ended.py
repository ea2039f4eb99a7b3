# SPDX-License-Identifier: Apache-2.0
"""Streams, closed together with their reader."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager


@contextmanager
def ended(pieces: Iterable[bytes]) -> Iterator[Iterable[bytes]]:
    """Close a stream after an early end of reading, where closing is possible.

    A fault keeps the frames that it came through, and with them a stream and the thread and
    connection behind it, for as long as anybody keeps the fault.

    Args:
        pieces: the stream.

    Yields:
        The stream.
    """
    try:
        yield pieces
    finally:
        if close := getattr(pieces, "close", None):
            close()
