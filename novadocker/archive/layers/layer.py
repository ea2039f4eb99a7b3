# SPDX-License-Identifier: Apache-2.0
"""Layers among the files of a saved image, and their digests."""

import enum
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from novadocker.archive.bounds import Bounds
from novadocker.archive.budget import Budget
from novadocker.archive.compression.gunzip import Gunzip
from novadocker.archive.compression.magic import GZIP, is_zstd, refuse_compression
from novadocker.archive.compression.unzstd import Unzstd
from novadocker.archive.layers.entries import Entries
from novadocker.archive.tarball.header import BLOCK, is_header


@dataclass(frozen=True)
class Layer:
    """One layer of an image.

    Attributes:
        diff_id: digest of its uncompressed content.
        digest: digest of its bytes as they are in the archive.
        size: bytes in the archive.
        unpacked: bytes of its uncompressed content.
    """

    diff_id: str
    digest: str
    size: int
    unpacked: int


class Content(enum.Enum):
    """Content of a file, told by its first block."""

    TAR_LAYER = enum.auto()
    GZIP_LAYER = enum.auto()
    ZSTD_LAYER = enum.auto()
    JSON = enum.auto()
    OTHER = enum.auto()


LAYERS = frozenset({Content.TAR_LAYER, Content.GZIP_LAYER, Content.ZSTD_LAYER})


def content_of(head: bytes, size: int, what: str) -> Content:
    """Tell a layer from a document.

    Args:
        head: the first block of the file, less if it is shorter.
        size: bytes of the whole file.
        what: name of the layer for messages.

    Returns:
        What the engine would take it for, too.
    """
    # By magic numbers first, as engines detect compression themselves.
    refuse_compression(head, what)
    if head.startswith(GZIP):
        return Content.GZIP_LAYER
    if is_zstd(head):
        return Content.ZSTD_LAYER
    if is_header(head) or (head == bytes(BLOCK) and size % BLOCK == 0):
        return Content.TAR_LAYER
    if head.lstrip().startswith((b"{", b"[")):
        return Content.JSON
    return Content.OTHER


class PassingLayer:
    """Layer checked in passing: digests, growth, and every member.

    Args:
        what: name of the layer for messages.
        content: kind of the layer.
        budget: allowance of the image.
        bounds: limits for streams and members.
        known: the members were looked at when these bytes passed before; only digests count.
    """

    def __init__(
        self, what: str, content: Content, budget: Budget, bounds: Bounds, *, known: bool = False
    ) -> None:
        self._what = what
        self._budget = budget
        self._packed: Gunzip | Unzstd | None = None
        if content is Content.GZIP_LAYER:
            self._packed = Gunzip(what, bounds, budget)
        elif content is Content.ZSTD_LAYER:
            self._packed = Unzstd(what, bounds, budget)
        self._sends_unpacked = content is Content.ZSTD_LAYER
        self._raw = hashlib.sha256()
        self._size = 0
        self._content = hashlib.sha256()
        self._unpacked = 0
        self._entries = None if known else Entries(what, budget, bounds)

    def feed(self, piece: bytes) -> Iterable[bytes]:
        """Take the next bytes of the layer.

        Args:
            piece: as they are in the archive.

        Returns:
            What the engine is given of them: zstd undone, for it can not undo that itself; all
            else as it is.
        """
        self._raw.update(piece)
        self._size += len(piece)
        if self._packed is None:
            self._look_at(piece)
            return (piece,)
        parts = self._parts(self._packed.feed(piece))
        if self._sends_unpacked:
            return parts
        for _ in parts:
            pass
        return (piece,)

    def finish(self) -> Layer:
        """Return the layer, all of whose bytes were taken."""
        if self._packed is not None:
            self._packed.finish()
        if self._entries is not None:
            self._entries.finish()
        digest = f"sha256:{self._raw.hexdigest()}"
        diff_id = digest if self._packed is None else f"sha256:{self._content.hexdigest()}"
        return Layer(diff_id, digest, self._size, self._unpacked)

    def _parts(self, parts: Iterator[bytes]) -> Iterator[bytes]:
        for part in parts:
            self._content.update(part)
            self._look_at(part)
            yield part

    def _look_at(self, content: bytes) -> None:
        self._unpacked += len(content)
        self._budget.spend_bytes(self._what, len(content))
        if self._entries is not None:
            self._entries.feed(content)
