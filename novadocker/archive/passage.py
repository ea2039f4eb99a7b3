# SPDX-License-Identifier: Apache-2.0
"""Passage through an archive, from the first byte to the last."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from novadocker.archive.bounds import Bounds
from novadocker.archive.budget import Budget
from novadocker.archive.compression.source import Source
from novadocker.archive.compression.unzstd import promised_size
from novadocker.archive.fault import Fault, quoted
from novadocker.archive.image.manifest import Contents
from novadocker.archive.image.mistakes import by_folders
from novadocker.archive.image.oci import check_name
from novadocker.archive.layers.layer import (
    LAYERS,
    Content,
    Layer,
    PassingLayer,
    content_of,
)
from novadocker.archive.sent import Sent
from novadocker.archive.tarball.header import BLOCK
from novadocker.archive.tarball.tar import Kind, Member, Reader


class Passage:
    """Reader of an archive, once, and source of the bytes for the engine.

    A layer in zstd goes to the engine unpacked, and a tar archive says how long a member is
    before it comes. Where the layer does not say it, this passage measures the layer and all
    that follow, and the next one sends them.

    Args:
        sent: the archive that is made of it.
        bounds: limits on sizes and counts.
        before: the passage before this one, over the same bytes.
        last: no member can follow.

    Attributes:
        contents: members of the archive; complete after the last byte.
        given: paths of the layers that were given, in this passage or before.
        withheld: layers were measured and not given.
        places: offset of each member's content.
        size: bytes of the archive, once all are read; None where it is compressed.
    """

    def __init__(
        self, sent: Sent, bounds: Bounds, *, before: "Passage | None" = None, last: bool = True
    ) -> None:
        self._sent = sent
        self._bounds = self._inner = bounds
        self._last = last
        self._measured: Mapping[str, Layer] | None = before.contents.layers if before else None
        self.given: set[str] = set(before.given) if before else set()
        self._budget = Budget.of(bounds)
        self._documents: dict[str, bytes] = {}
        self._layers: dict[str, Layer] = {}
        self._others: dict[str, int] = {}
        self._links: dict[str, str] = {}
        self._kept = 0
        self.contents: Contents = Contents(self._documents, self._layers, self._others, self._links)
        self.places: dict[str, int] = {}
        self.size: int | None = None
        self.withheld = False

    def give(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Read the archive to its end.

        Args:
            chunks: bytes of the archive; an exception of the source passes through.

        Yields:
            Its layers, under names of ours.
        """
        try:
            yield from self._give(chunks)
        except Fault as fault:
            # Nobody saves a device or a hard link, but whole file systems are uploaded.
            if known := by_folders(self.places):
                raise Fault(f"{known} ({fault})") from fault
            raise

    def _give(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        source = Source(chunks, self._bounds)
        reader = Reader(source, self._bounds)
        for member in reader.members():
            if source.windowed:
                # Both windows are held at the same time.
                self._inner = replace(self._bounds, window=self._bounds.inner_window)
            self.places[member.path] = member.offset
            if member.kind is Kind.FILE:
                yield from self._file(member, reader.content(member))
            elif member.kind is Kind.SYMLINK:
                self._links[member.path] = member.target
        self.size = None if source.compressed else source.position

    def _file(self, member: Member, content: Iterator[bytes]) -> Iterator[bytes]:
        head = b""
        while len(head) < min(BLOCK, member.size):
            head += next(content)
        # The kind before the rest: a layer goes on while it is read, and only a document is kept.
        kind = content_of(head[:BLOCK], member.size, f"member {quoted(member.path)}")
        if kind in LAYERS:
            yield from self._layer(member, head, content, kind)
        elif kind is Content.JSON and self._has_room_for(member.size):
            self._keep(member, head + b"".join(content))
        else:
            self._pass_over(member, _chain(head, content))

    def _layer(
        self, member: Member, head: bytes, content: Iterator[bytes], kind: Content
    ) -> Iterator[bytes]:
        what = f"layer {quoted(member.path)}"
        size = self._size(member, head, kind)
        known = self._measured is not None
        passing = PassingLayer(what, kind, self._budget, self._inner, known=known)
        parts = (part for piece in _chain(head, content) for part in passing.feed(piece))
        if size is None or self.withheld or member.path in self.given:
            for _ in parts:
                pass
            layer = passing.finish()
        else:
            yield self._sent.layer(member.path, size)
            yield from exactly(size, parts, what)
            layer = passing.finish()
            yield from filter(None, (self._sent.padding(size),))
            self.given.add(member.path)
        check_name(member.path, layer.digest)
        self._expect_as_before(member.path, layer)
        self._layers[member.path] = layer

    def _size(self, member: Member, head: bytes, kind: Content) -> int | None:
        """Return how long the layer is as it is sent."""
        if kind is not Content.ZSTD_LAYER:
            return member.size
        if self._measured is not None:
            self._expect_as_before(member.path)
            return self._measured[member.path].unpacked
        # A tar header precedes its content: a layer of unknown length cannot be sent at once.
        # Such a layer is measured, and the archive read again.
        size = promised_size(head)
        if size is None and self._last:
            raise Fault(
                f"layer {quoted(member.path)} is compressed with zstd and does not say how long "
                "it is; 'skopeo copy --dest-compress-format gzip' makes one that is accepted"
            )
        self.withheld = self.withheld or size is None
        return size

    def _expect_as_before(self, path: str, layer: Layer | None = None) -> None:
        before = self._measured
        if before is not None and (path not in before or layer not in {None, before[path]}):
            raise Fault(f"layer {quoted(path)} is another one when the archive is read again")

    def _has_room_for(self, size: int) -> bool:
        return size <= self._bounds.json and self._kept + size <= self._bounds.json_kept

    def _keep(self, member: Member, document: bytes) -> None:
        check_name(member.path, f"sha256:{hashlib.sha256(document).hexdigest()}")
        self._kept += member.size
        self._documents[member.path] = document

    def _pass_over(self, member: Member, content: Iterator[bytes]) -> None:
        digest = hashlib.sha256()
        for piece in content:
            digest.update(piece)
        check_name(member.path, f"sha256:{digest.hexdigest()}")
        self._others[member.path] = member.size


def _chain(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from rest


def exactly(size: int, parts: Iterable[bytes], what: str) -> Iterator[bytes]:
    """Give parts, and refuse a sum of bytes other than the promised size.

    Args:
        size: promised number of bytes.
        parts: pieces of the content.
        what: name of the content for messages.

    Yields:
        The parts, never more than was promised.
    """
    left = size
    for part in parts:
        left -= len(part)
        if left < 0:
            break
        yield part
    if left:
        raise Fault(f"{what} unpacks to something else than the {size} bytes that it promises")
