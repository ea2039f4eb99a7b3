# SPDX-License-Identifier: Apache-2.0
"""An archive read once: checked as hosts check it, counted, and looked into."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from novadocker.archive import CheckedArchive, Platform, SavedImage
from novadocker.archive.image.index import Index
from novadocker.client import os_release
from novadocker.client.layer_files import LayerFiles
from novadocker.client.os_release import Release

HASH = "sha512"  # what Glance takes where nobody says otherwise


@dataclass(frozen=True)
class Examined:
    """A sound archive.

    Attributes:
        image: content of the archive.
        platform: platform of the image, by its own account.
        index: where things are in it; None where all of it is compressed.
        release: the distribution inside.
        size: bytes of the archive as it came.
        digest: hash of those bytes, by ``HASH``.
    """

    image: SavedImage
    platform: Platform
    index: Index | None
    release: Release
    size: int
    digest: str


class Examination:
    """Reading of an archive; iterating gives a clean copy, as the driver would give on.

    Args:
        chunks: the archive; what they raise passes through.
        again: gives it once more from the start; few archives must be read twice.
        what: name of the archive in messages.
        platform: variant of the image.
        tag: the only name that the clean one has; None for none.
    """

    def __init__(
        self,
        chunks: Iterable[bytes],
        *,
        again: Callable[[], Iterable[bytes]],
        what: str,
        platform: Platform,
        tag: str | None = None,
    ) -> None:
        self._chunks = chunks
        self._size = 0
        self._digest = hashlib.new(HASH)
        self._files = LayerFiles(os_release.PATHS)
        self._archive = CheckedArchive(
            self._counted(), image=what, tag=tag, platform=platform, again=again
        )

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._archive:
            self._files.feed(piece)
            yield piece

    def run(self) -> Examined:
        """Read all of it.

        Returns:
            What was found.

        Raises:
            ImageInvalid: it is unsound.
        """
        for _ in self:
            pass
        return self.result

    @property
    def result(self) -> Examined:
        """Findings, once all was read."""
        image = self._archive.saved_image
        config = json.loads(image.config)
        return Examined(
            image=image,
            platform=Platform(config["architecture"], config["os"], config.get("variant") or ""),
            index=self._archive.index,
            release=os_release.of_files(self._files.found()),
            size=self._size,
            digest=self._digest.hexdigest(),
        )

    def _counted(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._size += len(chunk)
            self._digest.update(chunk)
            yield chunk
