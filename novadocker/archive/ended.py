# SPDX-License-Identifier: Apache-2.0
"""Streams that end with their reader."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager


@contextmanager
def ended(pieces: Iterable[bytes]) -> Iterator[Iterable[bytes]]:
    """Close a stream that is left early, if it can be closed.

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
