# SPDX-License-Identifier: Apache-2.0
"""Archive's bytes, read in portions of the format's sizes."""

import itertools
from collections.abc import Iterable, Iterator

from novadocker.archive.bounds import Bounds, MiB
from novadocker.archive.budget import Budget
from novadocker.archive.compression.gunzip import Gunzip
from novadocker.archive.compression.magic import (
    GZIP,
    LONGEST,
    is_zstd,
    refuse_compression,
)
from novadocker.archive.compression.unzstd import Unzstd
from novadocker.archive.fault import Fault
from novadocker.archive.tarball.positioned import Positioned

_LARGEST_PIECE = MiB


class Source(Positioned):
    """An archive's bytes, with an outer compression undone.

    Args:
        chunks: the archive as it comes; an exception of theirs passes through.
        bounds: ``size`` counts here.

    Attributes:
        compressed: there is an outer compression.
        windowed: the compression holds a large window in memory: zstd.
    """

    def __init__(self, chunks: Iterable[bytes], bounds: Bounds) -> None:
        self._bounds = bounds
        self._budget = Budget.of(bounds)
        self._chunks = self._plain(iter(chunks))
        self._chunk = b""
        self._at = 0
        self._total = 0
        self.compressed = self.windowed = False

    @property
    def position(self) -> int:
        """See ``Positioned``."""
        return self._total - len(self._chunk) + self._at

    def pieces(self, length: int) -> Iterator[bytes]:
        """See ``Positioned``.

        Args:
            length: how many; fewer are given at the end.

        Yields:
            Non-empty pieces of at most a MiB.
        """
        while length:
            piece = self._piece(min(length, _LARGEST_PIECE))
            if not piece:
                return
            length -= len(piece)
            yield piece

    def _piece(self, most: int) -> bytes:
        if self._at == len(self._chunk):
            self._next_chunk()
        piece = self._chunk[self._at : self._at + most]
        self._at += len(piece)
        return piece

    def _next_chunk(self) -> None:
        self._chunk, self._at = next(self._chunks, b""), 0
        self._total += len(self._chunk)
        # Counted after the compression is undone: a bomb is refused while it unpacks.
        if self._total > self._bounds.size:
            raise Fault(f"it is larger than {self._bounds.size} bytes")
        self._budget.unpacked -= len(self._chunk)

    def _plain(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        head = b""
        for chunk in chunks:
            head += chunk
            if len(head) >= LONGEST:
                break
        refuse_compression(head, "it")
        packed = _packed(head, self._bounds, self._budget)
        if packed is None:
            yield from filter(None, itertools.chain((head,), chunks))
            return
        self.compressed = True
        self.windowed = isinstance(packed, Unzstd)
        yield from packed.feed(head)
        for chunk in chunks:
            yield from packed.feed(chunk)
        packed.finish()


def _packed(head: bytes, bounds: Bounds, budget: Budget) -> Gunzip | Unzstd | None:
    if head.startswith(GZIP):
        return Gunzip("it", bounds, budget)
    return Unzstd("it", bounds, budget) if is_zstd(head) else None
