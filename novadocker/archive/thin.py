# SPDX-License-Identifier: Apache-2.0
"""Archive with only the layers that the engine lacks."""

import enum
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from novadocker.archive.bounds import Bounds, KiB
from novadocker.archive.budget import Budget
from novadocker.archive.ended import ended
from novadocker.archive.fault import Fault, quoted
from novadocker.archive.image.manifest import SavedImage
from novadocker.archive.image.oci import check_name
from novadocker.archive.layers.layer import Layer, PassingLayer
from novadocker.archive.outline import Outline, Part
from novadocker.archive.passage import exactly
from novadocker.archive.sent import Sent
from novadocker.errors import ImageInvalid

_HELD_BACK = 64 * KiB


class Treatment(enum.Enum):
    """Treatment of a layer's bytes."""

    SEND = enum.auto()
    CHECK = enum.auto()
    LEAVE = enum.auto()


class ThinArchive:
    """Archive of a known outline, without the layers that the engine has, for ``docker load``.

    Iterating gives an archive as ``CheckedArchive`` does, without the layers that are not to
    be sent. What is read is checked against what the config promises; the manifest, without
    which the engine does nothing, comes after the last check.

    Args:
        outline: members of the archive.
        treatments: treatment of each part, by path.
        read: gives a range of the archive's bytes, by its offset and length.
        image: Glance's id of it, for messages.
        tag: the only one that the image will have.
        bounds: limits on sizes.
    """

    def __init__(
        self,
        outline: Outline,
        treatments: Mapping[str, Treatment],
        read: Callable[[int, int], Iterator[bytes]],
        *,
        image: str,
        tag: str,
        bounds: Bounds | None = None,
    ) -> None:
        self._outline = outline
        self._treatments = dict(treatments)
        self._read = read
        self._image = image
        self._bounds = bounds or Bounds()
        self._budget = Budget.of(self._bounds)
        self._sent = Sent(tag)
        self._checked: dict[str, Layer] = {}

    @property
    def saved_image(self) -> SavedImage:
        """Image with its layers as read, or else as promised."""
        image = self._outline.image
        layers = zip(image.paths, image.layers, strict=True)
        return replace(
            image, layers=tuple(self._checked.get(path, layer) for path, layer in layers)
        )

    @property
    def checked(self) -> tuple[Layer, ...]:
        """Layers that were read, each equal to the promise."""
        return tuple(self._checked.values())

    def alone(self, path: str) -> Iterator[bytes]:
        """Give a single layer; the archive then comes without that layer.

        Args:
            path: name of the layer's member.

        Yields:
            Its bytes, of which the last ones come when all were found right.
        """
        (part,) = (each for each in self._outline.parts if each.path == path)
        try:
            yield from _held_back(self._bytes(part))
        except Fault as fault:
            raise ImageInvalid(image=self._image, reason=str(fault)) from fault
        self._treatments[path] = Treatment.LEAVE

    def __iter__(self) -> Iterator[bytes]:
        try:
            for part in self._outline.parts:
                yield from self._part(part)
            yield from self._sent.ending(self._outline.image)
        except Fault as fault:
            raise ImageInvalid(image=self._image, reason=str(fault)) from fault

    def _part(self, part: Part) -> Iterator[bytes]:
        if self._treatments[part.path] is Treatment.CHECK:
            for _ in self._bytes(part):
                pass
        elif self._treatments[part.path] is Treatment.SEND:
            if part.sent is None:
                raise Fault(f"layer {quoted(part.path)} does not say how long it is")
            yield self._sent.layer(part.path, part.sent)
            yield from exactly(part.sent, self._bytes(part), f"layer {quoted(part.path)}")
            yield from filter(None, (self._sent.padding(part.sent),))

    def _bytes(self, part: Part) -> Iterator[bytes]:
        passing = PassingLayer(
            f"layer {quoted(part.path)}", part.content, self._budget, self._bounds
        )
        with ended(self._read(part.offset, part.size)) as pieces:
            for piece in pieces:
                yield from passing.feed(piece)
        self._checked[part.path] = _expected(part, passing.finish())


def _held_back(pieces: Iterator[bytes]) -> Iterator[bytes]:
    # A piece may be a few zeros: by then the end of the layer's tar archive may have passed.
    held: deque[bytes] = deque()
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        while size - len(held[0]) >= _HELD_BACK:
            size -= len(held[0])
            yield held.popleft()
    yield from held


def _expected(part: Part, layer: Layer) -> Layer:
    what = f"layer {quoted(part.path)}"
    if layer.size != part.size:
        raise Fault(f"{what} is cut off")
    check_name(part.path, layer.digest)
    if layer.diff_id != part.diff_id:
        raise Fault(f"{what} has the digest {layer.diff_id}, not {part.diff_id}")
    return layer
