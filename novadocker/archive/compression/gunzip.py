# SPDX-License-Identifier: Apache-2.0
"""Gzip undone as a stream, with a bound on how far it may grow."""

import zlib
from collections.abc import Iterator

from novadocker.archive.bounds import Bounds, KiB, MiB
from novadocker.archive.budget import Budget
from novadocker.archive.compression.growth import Growth
from novadocker.archive.fault import Fault

_STEP = MiB
# The library copies what is left of its input each time it gives something: a stream of a
# million tiny members would have each of them copied as often.
_SLICE = 16 * KiB
_STEPS_OF_MEMBER = 8
_GZIP = 16 + zlib.MAX_WBITS


class Gunzip:
    """Decompressor of a gzip stream with any number of members.

    Args:
        what: name of the stream for messages.
        bounds: ``ratio`` and ``ratio_from`` count here.
        budget: allowance of steps; each member costs some.
    """

    def __init__(self, what: str, bounds: Bounds, budget: Budget) -> None:
        self._what = what
        self._budget = budget
        self._member = zlib.decompressobj(_GZIP)
        self._growth = Growth(what, bounds)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Decompress bytes into pieces of at most a MiB.

        Args:
            data: the next bytes of the stream.

        Yields:
            Uncompressed bytes, never none.
        """
        self._growth.read(len(data))
        # In slices: zlib copies the unread rest of its input at every call.
        for at in range(0, len(data), _SLICE):
            yield from self._slice(data[at : at + _SLICE])

    def _slice(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._member.eof:
                self._budget.spend_steps(_STEPS_OF_MEMBER)
                self._member = zlib.decompressobj(_GZIP)
            piece, data = self._inflate(data)
            if piece:
                self._growth.give(len(piece))
                yield piece

    def finish(self) -> None:
        """End the stream, or refuse a stream cut off before its own end."""
        if not self._member.eof:
            raise Fault(f"{self._what} is cut off in the middle of its gzip stream")

    def _inflate(self, data: bytes) -> tuple[bytes, bytes]:
        try:
            piece = self._member.decompress(data, _STEP)
        except zlib.error as error:
            raise Fault(f"{self._what} is not sound gzip ({error})") from error
        return piece, self._member.unused_data or self._member.unconsumed_tail
