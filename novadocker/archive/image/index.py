# SPDX-License-Identifier: Apache-2.0
"""Where in an archive an image's parts are, as it is stored beside the archive.

The index lies in the Glance image's property ``docker_index``. It is its owner's word and can
be false, and it can be changed long after the archive was uploaded. So it tells which bytes
are worth asking for first, and nothing else: what an archive holds is what its own headers,
manifest and config say, wherever the index pointed.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from novadocker.archive.bounds import Bounds, KiB
from novadocker.archive.fault import Fault
from novadocker.archive.image.documents import Document, parse
from novadocker.archive.image.manifest import SavedImage
from novadocker.archive.tarball.header import BLOCK

PROPERTY = "docker_index"
VERSION = 1
# Glance's column holds 64 KiB; 125 layers take 15.
LONGEST = 32 * KiB

_WHERE = "the index"
_DEPTH = 4
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class IndexedConfig:
    """Where the config is.

    Attributes:
        offset: position of the first byte in the archive.
        size: bytes.
        digest: ``sha256:`` and its digest; Docker's id of the image.
    """

    offset: int
    size: int
    digest: str


@dataclass(frozen=True)
class IndexedLayer:
    """Where a layer is.

    Attributes:
        offset: position of the first byte in the archive.
        size: bytes in the archive.
        diff_id: ``sha256:`` and the digest of its uncompressed content.
        unpacked: bytes of its uncompressed content.
    """

    offset: int
    size: int
    diff_id: str
    unpacked: int


@dataclass(frozen=True)
class Index:
    """Where everything of an image is in its archive.

    Attributes:
        size: bytes of the archive.
        config: the config.
        layers: from the lowest up; two may lie in the same place.
    """

    size: int
    config: IndexedConfig
    layers: tuple[IndexedLayer, ...]

    def text(self) -> str:
        """Return the stored form: a line of JSON in ASCII, digests without ``sha256:``."""
        config = self.config
        layers = [
            [layer.offset, layer.size, _bare(layer.diff_id), layer.unpacked]
            for layer in self.layers
        ]
        document = {
            "version": VERSION,
            "size": self.size,
            "config": [config.offset, config.size, _bare(config.digest)],
            "layers": layers,
        }
        return json.dumps(document, separators=(",", ":"))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what somebody stored.

        Args:
            text: the property's value, from anybody.

        Returns:
            An index that is possible; whether it is true is another question.

        Raises:
            Fault: it is not one.
        """
        if len(text) > LONGEST:
            raise Fault(f"{_WHERE} has {len(text)} characters, more than {LONGEST}")
        try:
            content = text.encode()
        except UnicodeEncodeError as error:
            raise Fault(f"{_WHERE} is not Unicode") from error
        document = Document(parse(content, _WHERE, _DEPTH), _WHERE)
        if (version := document.number("version")) != VERSION:
            raise Fault(f"{_WHERE} has version {version}, unknown here")
        size = document.number("size")
        offset, length, digest = _fields(document.values("config"), (int, int, str))
        _expect_inside(offset, length, size)
        layers = tuple(_layer(each, size) for each in document.values("layers"))
        if not 1 <= len(layers) <= Bounds().layers:
            raise Fault(f"{_WHERE} has {len(layers)} layers; 1 to {Bounds().layers} are accepted")
        return cls(size, IndexedConfig(offset, length, _digest(digest)), layers)


def index_of(image: SavedImage, places: Mapping[str, int], size: int) -> Index:
    """Return the index of an archive that was read.

    Args:
        image: outline of the archive's image.
        places: offset of each member's content, by the names that ``image`` has for them.
        size: bytes of the archive.
    """
    config = IndexedConfig(places[image.config_path], len(image.config), image.id)
    layers = tuple(
        IndexedLayer(places[path], layer.size, layer.diff_id, layer.unpacked)
        for path, layer in zip(image.paths, image.layers, strict=True)
    )
    return Index(size, config, layers)


def _layer(entry: Any, archive: int) -> IndexedLayer:
    offset, size, diff_id, unpacked = _fields(entry, (int, int, str, int))
    _expect_inside(offset, size, archive)
    return IndexedLayer(offset, size, _digest(diff_id), unpacked)


def _fields(entry: Any, kinds: tuple[type, ...]) -> tuple[Any, ...]:
    # By exact type: true and false are numbers to Python.
    if not isinstance(entry, list) or tuple(type(each) for each in entry) != kinds:
        raise Fault(f"{_WHERE} has an entry of another kind than it should be")
    if any(type(each) is int and each < 0 for each in entry):
        raise Fault(f"{_WHERE} has a negative size or offset")
    return tuple(entry)


def _expect_inside(offset: int, size: int, archive: int) -> None:
    if offset < BLOCK or offset % BLOCK or offset + size > archive:
        raise Fault(f"{_WHERE} points to {offset}, {size} bytes, where no member can be")


def _digest(digits: str) -> str:
    if not _HEX.fullmatch(digits):
        raise Fault(f"{_WHERE} has an impossible digest")
    return f"sha256:{digits}"


def _bare(digest: str) -> str:
    return digest.removeprefix("sha256:")
