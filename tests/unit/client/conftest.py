# SPDX-License-Identifier: Apache-2.0
"""Saved images, and a Glance without a cloud."""

import contextlib
import hashlib
import importlib
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from novadocker.archive import Platform
from novadocker.client.errors import NoParts
from novadocker.client.examination import Examination
from novadocker.client.glance import GlanceImage
from novadocker.client.progress import Progress
from tests.support.saved_images import SavedImages

with warnings.catch_warnings():
    # osc-lib warns of itself when it is imported.
    warnings.simplefilter("ignore")
    importlib.import_module("osc_lib")


def examination(archive: bytes | Iterable[bytes]) -> Examination:
    """Examine an archive for a usual machine."""
    chunks = [archive] if isinstance(archive, bytes) else archive
    return Examination(chunks, again=list, what="x", platform=Platform("amd64"))


@dataclass
class Stored:
    """An image in the making or made."""

    attributes: dict[str, Any]
    data: bytes = b""


@dataclass
class FakeGlance:
    """Keeps images; a test may set what it does to the bytes that it is sent."""

    images: dict[str, Stored] = field(default_factory=dict)
    damage: Any = bytes
    ranges: bool = True
    algorithm: str = "sha512"

    @contextlib.contextmanager
    def making(self, attributes: Mapping[str, Any]) -> Iterator[str]:
        """Make an image, and forget it if anything fails."""
        name = str(len(self.images))
        self.images[name] = Stored(dict(attributes))
        try:
            yield name
        except BaseException:
            del self.images[name]
            raise

    def upload(self, image: str, chunks: Iterable[bytes], size: int | None = None) -> None:
        """Take the bytes."""
        self.images[image].data = self.damage(b"".join(chunks))

    def update(self, image: str, attributes: Mapping[str, Any]) -> None:
        """Take attributes."""
        self.images[image].attributes.update(attributes)

    def show(self, image: str) -> GlanceImage:
        """Describe an image."""
        stored = self.images[image]
        return GlanceImage(
            id=image,
            name=stored.attributes["name"],
            status="active",
            visibility=stored.attributes.get("visibility", "shared"),
            container_format=stored.attributes["container_format"],
            size=len(stored.data),
            hash_algo=self.algorithm,
            hash_value=hashlib.new(self.algorithm, stored.data).hexdigest(),
            min_disk=stored.attributes.get("min_disk", 0),
            min_ram=stored.attributes.get("min_ram", 0),
            properties={name: str(value) for name, value in stored.attributes.items()},
        )

    def container_images(self) -> list[GlanceImage]:
        """Describe all."""
        return [self.show(image) for image in self.images]

    def download(self, image: GlanceImage) -> Iterator[bytes]:
        """Give the bytes."""
        yield self.images[image.id].data

    def part(self, image: GlanceImage, offset: int, size: int) -> bytes:
        """Give some of the bytes."""
        if not self.ranges:
            raise NoParts(image=image.id, status=200)
        return self.images[image.id].data[offset : offset + size]


@pytest.fixture(scope="session")
def saved_images() -> SavedImages:
    """Builders of saved images."""
    return SavedImages()


@pytest.fixture
def glance() -> FakeGlance:
    """An empty one."""
    return FakeGlance()


@pytest.fixture
def silent() -> Progress:
    """Shows nothing."""
    return Progress(wanted=False)
