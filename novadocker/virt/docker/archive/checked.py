# SPDX-License-Identifier: Apache-2.0
"""A saved image that is checked while it passes, and comes out clean."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from novadocker.virt.docker.archive.bounds import Bounds
from novadocker.virt.docker.archive.fault import Fault, quoted
from novadocker.virt.docker.archive.index import Index, index_of
from novadocker.virt.docker.archive.layer import Content, Layer, LayerDigests, content_of
from novadocker.virt.docker.archive.manifest import Contents, SavedImage, judge
from novadocker.virt.docker.archive.oci import check_name
from novadocker.virt.docker.archive.platform import Platform
from novadocker.virt.docker.archive.sent import Sent
from novadocker.virt.docker.archive.source import Source
from novadocker.virt.docker.archive.tar import BLOCK, Kind, Member, Reader
from novadocker.virt.docker.errors import ImageInvalid


class CheckedArchive:
    """What ``docker load`` may be given of an archive that a stranger made.

    Iterating reads the archive once and gives another one: the layers' bytes while they
    come, under names of our own; then, once every digest was found right and the source has
    ended without complaint, the config; last a ``manifest.json`` with our tag. The engine
    looks at no layer before it has that manifest, so a fault found at any point leaves it as
    it was. No name, tag or link of the archive reaches the engine.

    Args:
        chunks: the saved image's bytes; an exception of theirs passes through.
        image: Glance's id of it, for messages.
        tag: the only one that the image will have; None for none.
        platform: what the image must be made for.
        bounds: limits on sizes and counts.
        revise: makes of the config, once all was found right, the one that is given.
    """

    def __init__(
        self,
        chunks: Iterable[bytes],
        *,
        image: str,
        tag: str | None,
        platform: Platform,
        bounds: Bounds | None = None,
        revise: Callable[[bytes], bytes] | None = None,
    ) -> None:
        self._chunks = chunks
        self._image = image
        self._sent = Sent(tag)
        self._platform = platform
        self._bounds = bounds or Bounds()
        self._revise = revise
        self._documents: dict[str, bytes] = {}
        self._layers: dict[str, Layer] = {}
        self._others: dict[str, int] = {}
        self._links: dict[str, str] = {}
        self._kept = 0
        self._unpacked = 0
        self._saved_image: SavedImage | None = None
        self._places: dict[str, int] = {}
        self._index: Index | None = None
        self._sent_index: Index | None = None

    @property
    def saved_image(self) -> SavedImage:
        """The image; known once all of the archive was read and found sound."""
        if self._saved_image is None:
            raise RuntimeError("the archive has not been read to its end")
        return self._saved_image

    @property
    def index(self) -> Index | None:
        """The index of what was read; known at the end, None where all of it was compressed."""
        return self._index

    @property
    def sent_index(self) -> Index | None:
        """The index of what came out; known at the end."""
        return self._sent_index

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._clean()
        except Fault as fault:
            raise ImageInvalid(image=self._image, reason=str(fault)) from fault

    def _clean(self) -> Iterator[bytes]:
        source = Source(self._chunks, self._bounds)
        reader = Reader(source, self._bounds)
        for member in reader.members():
            self._places[member.path] = member.offset
            if member.kind is Kind.FILE:
                yield from self._file(member, reader.content(member))
            elif member.kind is Kind.SYMLINK:
                self._links[member.path] = member.target
        contents = Contents(self._documents, self._layers, self._others, self._links)
        image = judge(contents, self._platform, self._bounds)
        if not source.compressed:
            self._index = index_of(image, self._places, source.position)
        self._saved_image = self._revised(image)
        yield from self._sent.ending(self._saved_image)
        self._sent_index = self._sent.index(self._saved_image)

    def _revised(self, image: SavedImage) -> SavedImage:
        if self._revise is None:
            return image
        config = self._revise(image.config)
        return replace(image, id=f"sha256:{hashlib.sha256(config).hexdigest()}", config=config)

    def _file(self, member: Member, content: Iterator[bytes]) -> Iterator[bytes]:
        head = b""
        while len(head) < min(BLOCK, member.size):
            head += next(content)
        what = f"member {quoted(member.path)}"
        kind = content_of(head[:BLOCK], member.size, what)
        if kind in {Content.GZIP_LAYER, Content.TAR_LAYER}:
            yield from self._layer(member, _chain(head, content), kind)
        elif kind is Content.JSON and self._has_room_for(member.size):
            self._keep(member, head + b"".join(content))
        else:
            self._pass_over(member, _chain(head, content))

    def _layer(self, member: Member, content: Iterator[bytes], kind: Content) -> Iterator[bytes]:
        digests = LayerDigests(
            f"layer {quoted(member.path)}",
            compressed=kind is Content.GZIP_LAYER,
            room=self._bounds.unpacked - self._unpacked,
            bounds=self._bounds,
        )
        yield self._sent.layer(member.path, member.size)
        for piece in content:
            digests.update(piece)
            yield piece
        if rest := self._sent.padding(member.size):
            yield rest
        layer = digests.finish()
        check_name(member.path, layer.digest)
        self._unpacked += layer.unpacked
        self._layers[member.path] = layer

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
