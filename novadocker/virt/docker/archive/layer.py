# SPDX-License-Identifier: Apache-2.0
"""The files of a saved image: which is a layer, and what its digests are."""

import enum
import hashlib
from dataclasses import dataclass

from novadocker.virt.docker.archive.bounds import Bounds
from novadocker.virt.docker.archive.fault import Fault
from novadocker.virt.docker.archive.gunzip import Gunzip
from novadocker.virt.docker.archive.source import GZIP, refuse_compression
from novadocker.virt.docker.archive.tar import BLOCK, is_header


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
    """What a file holds, by its first block."""

    GZIP_LAYER = enum.auto()
    TAR_LAYER = enum.auto()
    JSON = enum.auto()
    OTHER = enum.auto()


def content_of(head: bytes, size: int, what: str) -> Content:
    """Tell a layer from a document.

    Args:
        head: the first block of the file, less if it is shorter.
        size: of the whole file.
        what: its name in messages.

    Returns:
        What the engine would take it for, too.
    """
    refuse_compression(head, what)
    if head.startswith(GZIP):
        return Content.GZIP_LAYER
    if size % BLOCK == 0 and (is_header(head) or head == bytes(BLOCK)):
        return Content.TAR_LAYER
    if head.lstrip().startswith((b"{", b"[")):
        return Content.JSON
    return Content.OTHER


class LayerDigests:
    """Digests of a layer, taken while it passes.

    Args:
        what: its name in messages.
        compressed: whether it is gzip.
        room: bytes that it may unpack to.
        bounds: for the gzip stream's growth.
    """

    def __init__(self, what: str, *, compressed: bool, room: int, bounds: Bounds) -> None:
        self._what = what
        self._room = room
        self._raw = hashlib.sha256()
        self._size = 0
        self._gunzip = Gunzip(what, bounds) if compressed else None
        self._content = hashlib.sha256()
        self._unpacked = 0

    def update(self, piece: bytes) -> None:
        """Take the next bytes of the layer."""
        self._size += len(piece)
        self._raw.update(piece)
        if self._gunzip is None:
            self._expect_room(self._size)
            return
        for part in self._gunzip.feed(piece):
            self._unpacked += len(part)
            self._expect_room(self._unpacked)
            self._content.update(part)

    def finish(self) -> Layer:
        """Return the layer, all of whose bytes were taken."""
        digest = f"sha256:{self._raw.hexdigest()}"
        if self._gunzip is None:
            return Layer(digest, digest, self._size, self._size)
        self._gunzip.finish()
        diff_id = f"sha256:{self._content.hexdigest()}"
        return Layer(diff_id, digest, self._size, self._unpacked)

    def _expect_room(self, unpacked: int) -> None:
        if unpacked > self._room:
            raise Fault(f"{self._what} takes the image over the size that it may unpack to")
