# SPDX-License-Identifier: Apache-2.0
"""File for Glance's client with bytes made during the reading."""

from collections.abc import Iterator


class Upload:
    """A file without a beginning to go back to.

    Nova tells Glance's client to send a file again when the connection broke, and the client
    sends what is left of it; a source that failed must not look like one that has ended. So
    ``size`` and ``ended`` are there to be held against what arrived, and a failure stays one.

    Args:
        pieces: the file's bytes; what they raise is raised by every ``read`` from then on.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = bytearray()
        self._fault: Exception | None = None
        self.size = 0
        self.ended = False

    def read(self, size: int) -> bytes:
        """Return the next bytes.

        Args:
            size: how many; fewer are given at the end only, and none after it.
        """
        while len(self._held) < size and not self.ended:
            self._held += self._next()
        given = bytes(self._held[:size])
        del self._held[:size]
        self.size += len(given)
        return given

    def _next(self) -> bytes:
        if self._fault:
            raise self._fault
        try:
            return next(self._pieces)
        except StopIteration:
            self.ended = True
            return b""
        except Exception as fault:
            self._fault = fault
            raise
