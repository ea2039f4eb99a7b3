# SPDX-License-Identifier: Apache-2.0
"""Zstandard decompressed as a stream, with bounds on window and growth.

The library gives all that some input holds at once, which can be a great deal. So it is given
one block at a time, none of which unpacks to more than 128 KiB (RFC 8878, 3.1.1.2).
"""

import contextlib
import enum
from collections.abc import Iterator

import zstandard

from novadocker.archive.bounds import Bounds
from novadocker.archive.budget import Budget
from novadocker.archive.compression.growth import Growth
from novadocker.archive.compression.magic import SKIPPED_BY_ZSTD, ZSTD
from novadocker.archive.fault import Fault

SHORTEST_HEADER, LONGEST_HEADER = 5, 18

_SKIPPABLE_HEADER = 8
_BLOCK_HEADER = 3
_CHECKSUM = 4
_RLE = 1
_STEPS_OF_FRAME, _STEPS_OF_BLOCK = 16, 8


class _At(enum.Enum):
    """Kind of the bytes that follow a whole block or skippable frame."""

    FRAME = enum.auto()
    BLOCK = enum.auto()
    CHECKSUM = enum.auto()


_LENGTHS = {
    _At.FRAME: SHORTEST_HEADER,
    _At.BLOCK: _BLOCK_HEADER,
    _At.CHECKSUM: _CHECKSUM,
}


class Unzstd:
    """Decompressor of a zstd stream with any number of frames.

    Args:
        what: name of the stream for messages.
        bounds: ``window``, ``ratio`` and ``ratio_from`` count here.
        budget: allowance of steps; each frame and block costs some.
    """

    def __init__(self, what: str, bounds: Bounds, budget: Budget) -> None:
        self._what = what
        self._budget = budget
        self._bounds = bounds
        self._growth = Growth(what, bounds)
        # One for all frames, so that a window's memory is asked for once.
        self._decompressor = zstandard.ZstdDecompressor()
        self._frame = self._decompressor.decompressobj()
        self._frames = 0
        self._has_checksum = False
        self._at = _At.FRAME
        self._header = b""
        self._want = SHORTEST_HEADER
        self._body = 0
        self._skipping = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Decompress bytes into pieces of at most 128 KiB.

        Args:
            data: the next bytes of the stream.

        Yields:
            Uncompressed bytes, never none.
        """
        self._growth.read(len(data))
        at = 0
        while at < len(data):
            if self._body:
                part = data[at : at + self._body]
                self._body -= len(part)
                piece = b"" if self._skipping else self._unpacked(part)
            else:
                part = data[at : at + self._want - len(self._header)]
                self._header += part
                piece = self._structure() if len(self._header) == self._want else b""
            at += len(part)
            if not self._body and self._at is _At.FRAME and not self._header:
                self._expect_whole_frame()
            if piece:
                self._growth.give(len(piece))
                yield piece

    def finish(self) -> None:
        """End the stream, or refuse a stream cut off before its own end."""
        if self._body or self._header or self._at is not _At.FRAME or not self._frames:
            raise Fault(f"{self._what} is cut off in the middle of its zstd stream")

    def _structure(self) -> bytes:
        if self._at is _At.FRAME and not self._whole_frame_header():
            return b""
        header, self._header = self._header, b""
        self._budget.spend_steps(_STEPS_OF_BLOCK)
        if self._skipping:
            self._body = int.from_bytes(header[4:], "little")
            self._expect(_At.FRAME)
            return b""
        piece = self._unpacked(header)
        if self._at is _At.BLOCK:
            self._block(int.from_bytes(header, "little"))
        else:
            self._expect(_At.BLOCK if self._at is _At.FRAME else _At.FRAME)
        return piece

    def _whole_frame_header(self) -> bool:
        header = self._header
        self._skipping = bool(SKIPPED_BY_ZSTD.match(header))
        if not self._skipping and not header.startswith(ZSTD):
            raise Fault(f"{self._what} is not sound zstd (neither a frame nor its end)")
        with self._sound():
            size = zstandard.frame_header_size(header) if not self._skipping else 0
        self._want = size or _SKIPPABLE_HEADER
        if len(header) < self._want:
            return False
        if not self._skipping:
            self._begin(header)
        return True

    def _begin(self, header: bytes) -> None:
        with self._sound():
            frame = zstandard.get_frame_parameters(header)
        if frame.dict_id:
            raise Fault(f"{self._what} needs a zstd dictionary, which it does not bring")
        # Before the window is allocated: its size is the stream's own claim.
        if frame.window_size > self._bounds.window:
            raise Fault(
                f"{self._what} has a zstd window of {frame.window_size} bytes; at most "
                f"{self._bounds.window} are accepted"
            )
        self._frame = self._decompressor.decompressobj()
        self._has_checksum = frame.has_checksum
        self._frames += 1
        self._budget.spend_steps(_STEPS_OF_FRAME)

    def _block(self, header: int) -> None:
        last, kind, size = header & 1, header >> 1 & 3, header >> 3
        self._body = 1 if kind == _RLE else size
        if last:
            self._expect(_At.CHECKSUM if self._has_checksum else _At.FRAME)
        else:
            self._expect(_At.BLOCK)

    def _expect(self, at: _At) -> None:
        self._at, self._want = at, _LENGTHS[at]

    def _unpacked(self, part: bytes) -> bytes:
        with self._sound():
            return self._frame.decompress(part)

    @contextlib.contextmanager
    def _sound(self) -> Iterator[None]:
        try:
            yield
        except zstandard.ZstdError as error:
            raise Fault(f"{self._what} is not sound zstd ({error})") from error

    def _expect_whole_frame(self) -> None:
        if self._frames and not self._frame.eof:
            raise Fault(f"{self._what} is not sound zstd (a frame ends before its content does)")


def promised_size(head: bytes) -> int | None:
    """Return the unpacked size in the header of a stream's first frame; None without the field.

    Args:
        head: the first ``LONGEST_HEADER`` bytes of the stream.
    """
    if not head.startswith(ZSTD):
        return None
    try:
        size: int = zstandard.frame_content_size(head[:LONGEST_HEADER])
    except zstandard.ZstdError:
        return None
    return None if size < 0 else size
