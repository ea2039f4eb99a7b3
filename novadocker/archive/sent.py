# SPDX-License-Identifier: Apache-2.0
"""The archive that comes out of the checks: layers under names of ours, config, manifest."""

import json
from collections.abc import Iterator
from dataclasses import replace

from novadocker.archive.image.index import Index, index_of
from novadocker.archive.image.manifest import MANIFEST, SavedImage
from novadocker.archive.tarball.header import (
    BLOCK,
    END,
    header,
    padding,
)


class Sent:
    """Writes a ``docker save`` archive in the form that all engines load.

    Args:
        tag: the image's only one; None for none.
    """

    def __init__(self, tag: str | None) -> None:
        self._tag = tag
        self._names: dict[str, str] = {}
        self._places: dict[str, int] = {}
        self._sizes: dict[str, int] = {}
        self._size = 0

    def layer(self, path: str, size: int) -> bytes:
        """Return what precedes a layer's bytes.

        Args:
            path: the layer's name in the archive that is read.
            size: bytes; ``padding`` follows them.
        """
        return self._header(path, self._name(path), size)

    def padding(self, size: int) -> bytes:
        """Return the padding after a content of a size; may be empty."""
        return bytes(padding(size))

    def ending(self, image: SavedImage) -> Iterator[bytes]:
        """Give the documents of the image, for which the engine waits before any other work.

        A layer that was not sent is named all the same: an engine that has it does not look.

        Args:
            image: outline with the layers that were sent.

        Yields:
            The config, and last the manifest.
        """
        config = f"{image.id.removeprefix('sha256:')}.json"
        manifest = {
            "Config": config,
            "RepoTags": [self._tag] if self._tag else None,
            "Layers": [self._name(path) for path in image.paths],
        }
        # Only now, since the order of the layers is known at the end.
        yield self._whole(config, image.config)
        yield self._whole(MANIFEST, json.dumps([manifest]).encode()) + END
        self._size += len(END)

    def index(self, image: SavedImage) -> Index:
        """Return the index of the archive as sent, after the last byte.

        Args:
            image: outline of the archive's image.
        """
        config = f"{image.id.removeprefix('sha256:')}.json"
        layers = tuple(
            replace(layer, size=self._sizes[path])
            for path, layer in zip(image.paths, image.layers, strict=True)
        )
        sent = replace(image, config_path=config, layers=layers)
        return index_of(sent, self._places, self._size)

    def _name(self, path: str) -> str:
        # Numbers instead of the tenant's names: no path of the archive reaches the engine.
        return self._names.setdefault(path, f"{len(self._names)}.tar")

    def _whole(self, name: str, content: bytes) -> bytes:
        return self._header(name, name, len(content)) + content + self.padding(len(content))

    def _header(self, path: str, name: str, size: int) -> bytes:
        self._places[path], self._sizes[path] = self._size + BLOCK, size
        self._size += BLOCK + size + padding(size)
        return header(name, size)
