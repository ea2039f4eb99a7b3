# SPDX-License-Identifier: Apache-2.0
"""Gzip undone as a stream, with a bound on how far it may grow."""

import zlib
from collections.abc import Iterator

from novadocker.virt.docker.archive.bounds import Bounds, MiB
from novadocker.virt.docker.archive.fault import Fault

_STEP = MiB
_GZIP = 16 + zlib.MAX_WBITS


class Gunzip:
    """One gzip stream, of one or several members.

    Args:
        what: its name in messages.
        bounds: ``ratio`` and ``ratio_from`` count here.
    """

    def __init__(self, what: str, bounds: Bounds) -> None:
        self._what = what
        self._bounds = bounds
        self._member = zlib.decompressobj(_GZIP)
        self._read = 0
        self._given = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take compressed bytes and give what they hold, at most a MiB at a time.

        Args:
            data: the next bytes of the stream.

        Yields:
            Uncompressed bytes, never none.
        """
        self._read += len(data)
        while data:
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP)
            piece, data = self._inflate(data)
            if piece:
                self._count(len(piece))
                yield piece

    def finish(self) -> None:
        """Say that the stream is over; it must have come to its own end."""
        if not self._member.eof:
            raise Fault(f"{self._what} is cut off in the middle of its gzip stream")

    def _inflate(self, data: bytes) -> tuple[bytes, bytes]:
        try:
            piece = self._member.decompress(data, _STEP)
        except zlib.error as error:
            raise Fault(f"{self._what} is not sound gzip ({error})") from error
        return piece, self._member.unused_data or self._member.unconsumed_tail

    def _count(self, given: int) -> None:
        self._given += given
        bounds = self._bounds
        if self._given > bounds.ratio_from and self._given > bounds.ratio * self._read:
            raise Fault(
                f"{self._what} unpacks to more than {bounds.ratio} times its compressed size"
            )
