# SPDX-License-Identifier: Apache-2.0
"""Outline of an archive, found without reading the layers.

All that is said of the image is judged as when the archive is read as a whole, but for the
layers' digests: those are what the config promises, until somebody reads the layers.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from novadocker.archive.bounds import Bounds
from novadocker.archive.compression.unzstd import promised_size
from novadocker.archive.fault import Fault, quoted
from novadocker.archive.image.manifest import (
    Contents,
    SavedImage,
    judge,
    promised,
)
from novadocker.archive.image.oci import check_name
from novadocker.archive.image.platform import Platform
from novadocker.archive.layers.layer import (
    LAYERS,
    Content,
    Layer,
    content_of,
)
from novadocker.archive.tarball.header import BLOCK, padding
from novadocker.archive.tarball.tar import Kind, Member, Reader
from novadocker.archive.windows import Windows


@dataclass(frozen=True)
class Part:
    """A member of the archive that is a layer of the image.

    Attributes:
        path: name of the member.
        offset: where its content begins in the archive.
        size: bytes in the archive.
        content: plain or compressed.
        diff_id: digest promised by the config.
        sent: bytes that the engine is given of it; None where that shows only at its end.
    """

    path: str
    offset: int
    size: int
    content: Content
    diff_id: str
    sent: int | None


@dataclass(frozen=True)
class Outline:
    """Image as described by an archive.

    Attributes:
        image: sound but for its layers, none of which has been read.
        parts: members to read, in the archive's order.
    """

    image: SavedImage
    parts: tuple[Part, ...]


def outline(windows: Windows, platform: Platform, bounds: Bounds) -> Outline:
    """Find out what an archive holds.

    Args:
        windows: the archive, uncompressed.
        platform: platform to choose the image for.
        bounds: limits on sizes and counts.

    Returns:
        What it says.

    Raises:
        Fault: something is wrong with it.
        Scattered: it is better read as a whole.
    """
    return _Walk(windows, platform, bounds).outline()


@dataclass(frozen=True)
class _Found:
    """Member that looks like a layer, and the length in the archive."""

    member: Member
    content: Content
    sent: int | None


class _Walk:
    """One way through the archive, from header to header."""

    def __init__(self, windows: Windows, platform: Platform, bounds: Bounds) -> None:
        self._windows = windows
        self._platform = platform
        self._bounds = bounds
        self._documents: dict[str, bytes] = {}
        self._layers: dict[str, _Found] = {}
        self._others: dict[str, int] = {}
        self._links: dict[str, str] = {}
        self._kept = 0

    def outline(self) -> Outline:
        for member in Reader(self._windows, self._bounds).members():
            if member.kind is Kind.FILE:
                self._file(member)
            elif member.kind is Kind.SYMLINK:
                self._links[member.path] = member.target
        contents = Contents(self._documents, self._claimed({}), self._others, self._links)
        claims = promised(contents, self._platform, self._bounds)
        image = judge(replace(contents, layers=self._claimed(claims)), self._platform, self._bounds)
        return Outline(image, self._parts(claims))

    def _file(self, member: Member) -> None:
        head = self._windows.read(min(BLOCK, member.size))
        content = content_of(head, member.size, f"member {quoted(member.path)}")
        if content in LAYERS:
            sent = promised_size(head) if content is Content.ZSTD_LAYER else member.size
            self._layers[member.path] = _Found(member, content, sent)
        elif content is Content.JSON and self._has_room_for(member.size):
            document = head + self._windows.read(member.size - len(head))
            check_name(member.path, f"sha256:{hashlib.sha256(document).hexdigest()}")
            self._kept += member.size
            self._documents[member.path] = document
        else:
            self._others[member.path] = member.size
        if not self._windows.move(member.offset + member.size + padding(member.size)):
            raise Fault(f"it is cut off in the middle of member {quoted(member.path)}")

    def _has_room_for(self, size: int) -> bool:
        return size <= self._bounds.json and self._kept + size <= self._bounds.json_kept

    def _claimed(self, claims: Mapping[str, str]) -> dict[str, Layer]:
        return {
            path: Layer(claims.get(path, ""), "", found.member.size, 0)
            for path, found in self._layers.items()
        }

    def _parts(self, claims: Mapping[str, str]) -> tuple[Part, ...]:
        return tuple(
            Part(
                path,
                found.member.offset,
                found.member.size,
                found.content,
                claims[path],
                found.sent,
            )
            for path, found in self._layers.items()
            if path in claims
        )
