# SPDX-License-Identifier: Apache-2.0
"""The bytes of an archive, read in the portions that its format asks for."""

import re
from collections.abc import Iterable, Iterator

from novadocker.virt.docker.archive.bounds import Bounds, MiB
from novadocker.virt.docker.archive.fault import Fault
from novadocker.virt.docker.archive.gunzip import Gunzip

GZIP = b"\x1f\x8b"

# The engine undoes these too, by a program that it runs as root for the purpose. An image
# must not choose which program that is.
OTHER_COMPRESSIONS = {
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\xfd7zXZ\x00": "xz",
    b"BZh": "bzip2",
}
# Frames that zstd skips; what the engine takes for zstd may begin with one.
_SKIPPED_BY_ZSTD = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")
_LONGEST_MAGIC = 6
_LARGEST_PIECE = MiB


class Source:
    """An archive's bytes, with an outer gzip undone.

    Args:
        chunks: the archive as it comes; an exception of theirs passes through.
        bounds: ``size`` counts here.
    """

    def __init__(self, chunks: Iterable[bytes], bounds: Bounds) -> None:
        self._bounds = bounds
        self._chunks = self._plain(iter(chunks))
        self._chunk = b""
        self._at = 0
        self._total = 0
        self.compressed = False

    @property
    def position(self) -> int:
        """How many bytes have been given, of the archive without its outer compression."""
        return self._total - len(self._chunk) + self._at

    def read(self, length: int) -> bytes:
        """Return that many bytes, or fewer at the end.

        Args:
            length: small, for the result is held in memory.
        """
        return b"".join(self.pieces(length))

    def pieces(self, length: int) -> Iterator[bytes]:
        """Give the next bytes as they come.

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
        if self._total > self._bounds.size:
            raise Fault(f"it is larger than {self._bounds.size} bytes")

    def _plain(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        head = b""
        for chunk in chunks:
            head += chunk
            if len(head) >= _LONGEST_MAGIC:
                break
        refuse_compression(head, "it")
        self.compressed = head.startswith(GZIP)
        if self.compressed:
            yield from _gunzipped(head, chunks, self._bounds)
            return
        if head:
            yield head
        yield from filter(None, chunks)


def _gunzipped(head: bytes, chunks: Iterator[bytes], bounds: Bounds) -> Iterator[bytes]:
    gunzip = Gunzip("it", bounds)
    yield from gunzip.feed(head)
    for chunk in chunks:
        yield from gunzip.feed(chunk)
    gunzip.finish()


def refuse_compression(head: bytes, what: str) -> None:
    """Raise if bytes are compressed in a way that is not undone here.

    Args:
        head: the first bytes.
        what: their name in messages.
    """
    names = [name for magic, name in OTHER_COMPRESSIONS.items() if head.startswith(magic)]
    if _SKIPPED_BY_ZSTD.match(head):
        names.append("zstd")
    if names:
        raise Fault(f"{what} is compressed with {names[0]}; gzip or no compression is accepted")
