# SPDX-License-Identifier: Apache-2.0
"""An image in Glance, looked into with as few of its bytes as will do."""

import hashlib
import json
from collections.abc import Iterator
from functools import partial

from novadocker.archive import (
    Bounds,
    Fault,
    Index,
    Platform,
    Scattered,
    Windows,
    outline,
)
from novadocker.archive.image.index import PROPERTY
from novadocker.client import image_facts
from novadocker.client.errors import NoParts
from novadocker.client.examination import Examination
from novadocker.client.glance import Glance, GlanceImage
from novadocker.client.image_facts import Description
from novadocker.client.progress import Progress


class Inspector:
    """Looks into images.

    Args:
        glance: where they are.
        progress: shows how far a whole reading is.
    """

    def __init__(self, glance: Glance, progress: Progress) -> None:
        self._glance = glance
        self._progress = progress

    def describe(self, image: GlanceImage, platform: Platform, *, whole: bool) -> Description:
        """Describe an image.

        By its index, where that is not false; else by what stands between its layers; else by
        all of its bytes.

        Args:
            image: image to describe.
            platform: variant of the image.
            whole: True to read and check all of the image in any case.

        Raises:
            ImageInvalid: it is unsound.
        """
        found = None if whole else self._by_index(image) or self._by_parts(image, platform)
        if found is None:
            examination = Examination(
                self._progress.of(self._glance.download(image), "Reading", image.size),
                again=lambda: self._glance.download(image),
                what=image.name or image.id,
                platform=platform,
            )
            found = image_facts.of_examined(examination.run())
        return found

    def others(self, image: GlanceImage) -> Iterator[tuple[str, Index | None]]:
        """Give the other container images in the user's view.

        Args:
            image: not this one.

        Yields:
            Name, or ID where there is none, and index, as far as there is one.
        """
        for other in self._glance.container_images():
            if other.id != image.id:
                yield other.name or other.id, index_of(other)

    def _by_index(self, image: GlanceImage) -> Description | None:
        # An index is a mere property, which can be changed after the upload: size and digest of
        # the bytes decide.
        index = index_of(image)
        if index is None or index.size != image.size:
            return None
        try:
            config = self._glance.part(image, index.config.offset, index.config.size)
        except NoParts:
            return None
        if f"sha256:{hashlib.sha256(config).hexdigest()}" != index.config.digest:
            return None
        try:
            return image_facts.of_index(index, config)
        except json.JSONDecodeError:
            return None

    def _by_parts(self, image: GlanceImage, platform: Platform) -> Description | None:
        windows = Windows(partial(self._glance.part, image), image.size)
        try:
            return image_facts.of_outline(outline(windows, platform, Bounds()))
        except (NoParts, Scattered, Fault):
            # Compressed as a whole, say, or unsound: the whole reading tells.
            return None


def index_of(image: GlanceImage) -> Index | None:
    """Return the index of an image; None without a valid index.

    Args:
        image: in Glance.
    """
    try:
        return Index.parse(image.properties.get(PROPERTY, ""))
    except Fault:
        return None
