# SPDX-License-Identifier: Apache-2.0
"""Archive with its bytes fetched on demand."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator

from novadocker.archive.bounds import KiB, MiB
from novadocker.archive.image.index import Index
from novadocker.archive.tarball.header import BLOCK
from novadocker.archive.tarball.positioned import Positioned

WINDOW = 16 * KiB
_LARGEST = MiB
_MOST_WINDOWS = 1024
_MOST_BYTES = 32 * MiB
# What lies between two layers of an image is small; an index may claim otherwise.
_LARGEST_GAP = 64 * KiB


class Scattered(Exception):
    """The archive has to be fetched in too many pieces: it is better read as a whole."""


class Windows(Positioned):
    """The bytes of an archive at a moving position, fetched a window at a time.

    Args:
        fetch: gives the bytes of a range, by its offset and length.
        size: bytes of the archive.
        fetched: ranges that were fetched before, by their offsets.
    """

    def __init__(
        self,
        fetch: Callable[[int, int], bytes],
        size: int,
        fetched: Iterable[tuple[int, bytes]] = (),
    ) -> None:
        self._fetch = fetch
        self._size = size
        self._known = sorted(fetched)
        self._offsets = [offset for offset, _ in self._known]
        self._windows = 0
        self._bytes = 0
        self._position = 0

    @property
    def position(self) -> int:
        """See ``Positioned``."""
        return self._position

    def pieces(self, length: int) -> Iterator[bytes]:
        """See ``Positioned``.

        Args:
            length: how many; fewer are given at the end.

        Yields:
            Non-empty pieces.
        """
        end = min(self._position + length, self._size)
        while self._position < end:
            piece = self._piece(end - self._position)
            self._position += len(piece)
            yield piece

    def move(self, position: int) -> bool:
        """Go on elsewhere; nothing in between is fetched.

        Args:
            position: bytes from the archive's beginning.

        Returns:
            Whether the archive is that long.
        """
        self._position = position
        return position <= self._size

    def _piece(self, most: int) -> bytes:
        offset, window = self._window(most)
        at = self._position - offset
        return window[at : at + most]

    def _window(self, wanted: int) -> tuple[int, bytes]:
        number = bisect_right(self._offsets, self._position) - 1
        if number >= 0:
            offset, window = self._known[number]
            if self._position < offset + len(window):
                return offset, window
        return self._another(min(max(wanted, WINDOW), _LARGEST, self._size - self._position))

    def _another(self, length: int) -> tuple[int, bytes]:
        self._windows += 1
        self._bytes += length
        if self._windows > _MOST_WINDOWS or self._bytes > _MOST_BYTES:
            raise Scattered
        window = (self._position, self._fetch(self._position, length))
        self._known.insert(bisect_right(self._offsets, self._position), window)
        self._offsets = [offset for offset, _ in self._known]
        return window


def gaps(index: Index) -> list[tuple[int, int]]:
    """Return the ranges of an archive's structure by a true index.

    All but the layers, and of each layer the first block, by which it is known for one.

    Args:
        index: members of the archive with positions.

    Returns:
        Offsets and lengths.
    """
    found, at = [], 0
    for offset, size in sorted({(layer.offset, layer.size) for layer in index.layers}):
        end = min(offset + BLOCK, index.size)
        if end > at:
            found.append((at, end - at))
        at = max(at, offset + size)
    if index.size > at:
        found.append((at, index.size - at))
    return [(offset, min(length, _LARGEST_GAP)) for offset, length in found]
