# SPDX-License-Identifier: Apache-2.0
"""Saved image, checked in passing, and clean at the other end."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from novadocker.archive.bounds import Bounds
from novadocker.archive.ended import ended
from novadocker.archive.fault import Fault
from novadocker.archive.image.index import Index, index_of
from novadocker.archive.image.manifest import SavedImage, judge
from novadocker.archive.image.platform import Platform
from novadocker.archive.passage import Passage
from novadocker.archive.sent import Sent
from novadocker.errors import ImageInvalid


class CheckedArchive:
    """Checked archive of a stranger, in the form that ``docker load`` may be given.

    Iterating reads the archive once and gives another one: the layers' bytes while they
    come, under names of our own; then, once every digest was found right and the source has
    ended without complaint, the config; last a ``manifest.json`` with our tag. The engine
    looks at no layer before it has that manifest, so a fault found at any point leaves it as
    it was. No name, tag or link of the archive reaches the engine.

    Args:
        chunks: the saved image's bytes; an exception of theirs passes through.
        image: Glance's id of it, for messages.
        tag: the only one that the image will have; None for none.
        platform: platform to choose the image for.
        bounds: limits on sizes and counts.
        revise: makes of the config, once all was found right, the one that is given.
        again: gives the same bytes from the start. Called, once at most, where layers are in
            zstd and do not say how long they are; without it such an image is refused.
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
        again: Callable[[], Iterable[bytes]] | None = None,
    ) -> None:
        self._chunks = chunks
        self._image = image
        self._sent = Sent(tag)
        self._platform = platform
        self._bounds = bounds or Bounds()
        self._revise = revise
        self._again = again
        self._saved_image: SavedImage | None = None
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
        """Index of the archive as read; known at the end, None for a compressed archive."""
        return self._index

    @property
    def sent_index(self) -> Index:
        """Index of the archive as given; known after the last byte."""
        if self._sent_index is None:
            raise RuntimeError("the archive has not been sent to its end")
        return self._sent_index

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._clean()
        except Fault as fault:
            raise ImageInvalid(image=self._image, reason=str(fault)) from fault

    def _clean(self) -> Iterator[bytes]:
        passage = Passage(self._sent, self._bounds, last=self._again is None)
        # The chunks end with the passage: behind them may be a thread and a connection.
        with ended(self._chunks) as chunks:
            yield from passage.give(chunks)
        if passage.withheld and self._again is not None:
            passage = Passage(self._sent, self._bounds, before=passage)
            with ended(self._again()) as chunks:
                yield from passage.give(chunks)
        stranger = self._revise is None
        image = judge(passage.contents, self._platform, self._bounds, stranger=stranger)
        if passage.size is not None:
            self._index = index_of(image, passage.places, passage.size)
        self._saved_image = self._revised(image)
        yield from self._sent.ending(self._saved_image)
        self._sent_index = self._sent.index(self._saved_image)

    def _revised(self, image: SavedImage) -> SavedImage:
        if self._revise is None:
            return image
        config = self._revise(image.config)
        return replace(image, id=f"sha256:{hashlib.sha256(config).hexdigest()}", config=config)
