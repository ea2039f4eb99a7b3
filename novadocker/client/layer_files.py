# SPDX-License-Identifier: Apache-2.0
"""A few files picked out of layers while an image passes by.

What passes is checked by ``archive``. This only looks, for hints: where it does not understand
a layer it finds nothing more in it, and says nothing.
"""

import json
import re
import tarfile
import zlib
from collections.abc import Callable, Collection, Mapping

_BLOCK = 512
# Bounds memory: a larger file or pax header is passed over.
_LARGEST = 64 * 1024
_GZIP = b"\x1f\x8b"
# Bounds memory: a bomb of gzip unpacks by no more at a time.
_STEP = 1024 * 1024
_PAX_SIZE = re.compile(rb"\d+ size=(\d{1,15})\n")
_MANIFEST = "manifest.json"

Take = Callable[[bytes], None]


class LayerFiles:
    """Files of an image's layers.

    Args:
        paths: files to pick out, as layers name them.
    """

    def __init__(self, paths: Collection[str]) -> None:
        self._paths = paths
        self._found: dict[str, dict[str, bytearray]] = {}
        self._manifest = bytearray()
        self._archive = _Members(self._member)

    def feed(self, piece: bytes) -> None:
        """Take the next bytes from ``CheckedArchive``."""
        self._archive.feed(piece)

    def found(self) -> Mapping[str, bytes]:
        """Return the files; among several layers the uppermost wins."""
        files: dict[str, bytes] = {}
        (manifest,) = json.loads(bytes(self._manifest))
        for layer in manifest["Layers"]:
            files |= {path: bytes(content) for path, content in self._found[layer].items()}
        return files

    def _member(self, member: tarfile.TarInfo) -> Take | None:
        if member.name == _MANIFEST:
            return self._manifest.extend
        if not member.name.endswith(".tar"):
            return None
        found = self._found[member.name] = {}
        return _Layer(self._paths, found).feed


class _Layer:
    """One layer, plain or gzip."""

    def __init__(self, paths: Collection[str], found: dict[str, bytearray]) -> None:
        self._paths = paths
        self._found = found
        self._members = _Members(self._member)
        self._gunzip: zlib._Decompress | None = None
        self._begun = False

    def feed(self, piece: bytes) -> None:
        if not self._begun:
            self._begun = True
            if piece.startswith(_GZIP):
                self._gunzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
        if self._gunzip is None:
            self._members.feed(piece)
            return
        while piece:
            self._members.feed(self._gunzip.decompress(piece, _STEP))
            piece = self._gunzip.unconsumed_tail

    def _member(self, member: tarfile.TarInfo) -> Take | None:
        path = member.name.removeprefix("./")
        if path not in self._paths or not member.isreg() or member.size > _LARGEST:
            return None
        content = self._found[path] = bytearray()
        return content.extend


class _Members:
    """Tar in pieces.

    Args:
        wanted: called with each member's header; gives what takes its content, or None.
    """

    def __init__(self, wanted: Callable[[tarfile.TarInfo], Take | None]) -> None:
        self._wanted = wanted
        self._header = bytearray()
        self._take: Take | None = None
        self._content = 0
        self._padding = 0
        self._pax: bytearray | None = None
        self._lost = False

    def feed(self, data: bytes) -> None:
        at = 0
        while at < len(data) and not self._lost:
            at += self._step(data, at)

    def _step(self, data: bytes, at: int) -> int:
        if self._content:
            used = min(self._content, len(data) - at)
            self._content -= used
            if self._take:
                self._take(data[at : at + used])
            return used
        if self._padding:
            used = min(self._padding, len(data) - at)
            self._padding -= used
            return used
        used = min(_BLOCK - len(self._header), len(data) - at)
        self._header += data[at : at + used]
        if len(self._header) == _BLOCK:
            self._begin(bytes(self._header))
            self._header.clear()
        return used

    def _begin(self, block: bytes) -> None:
        try:
            member = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError:  # two blocks of zeros at the end, or nothing we know
            self._lost = True
            return
        if member.type == tarfile.XHDTYPE:
            self._pax = bytearray()
            self._take = self._pax.extend if member.size <= _LARGEST else None
        else:
            # A pax header's size holds in place of the member's own field, which ends at 8 GiB.
            if self._pax and (size := _PAX_SIZE.search(bytes(self._pax))):
                member.size = int(size[1])
            self._pax = None
            self._take = self._wanted(member)
        self._content = member.size if _has_content(member) else 0
        self._padding = -self._content % _BLOCK


def _has_content(member: tarfile.TarInfo) -> bool:
    extended = {
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
    }
    return member.isreg() or member.type in extended
