# SPDX-License-Identifier: Apache-2.0
import gzip
from dataclasses import replace
from typing import Any

import pytest

from novadocker.archive import Platform
from novadocker.archive.image.index import Index
from novadocker.client.archives import StreamArchive
from novadocker.client.importing import Importer, Wanted
from novadocker.client.inspection import Inspector
from novadocker.client.origin import StandardInput
from novadocker.client.progress import Progress
from novadocker.errors import ImageInvalid
from tests.unit.client.conftest import FakeGlance

AMD64 = Platform("amd64")


class Counting(FakeGlance):
    """Counts whole readings."""

    readings = 0

    def download(self, image: Any) -> Any:
        """Count, and give the bytes."""
        self.readings += 1
        return super().download(image)


@pytest.fixture
def glance() -> Counting:
    """An empty one."""
    return Counting()


@pytest.fixture
def data(saved_images: Any) -> bytes:
    """An archive of two layers."""
    return saved_images.old_style(saved_images.layer(b"1"), saved_images.layer(b"2")).tar()


def imported(glance: FakeGlance, data: bytes, name: str = "web") -> Any:
    """Return an imported image."""
    stream = StreamArchive(iter([data]), StandardInput())
    image, _ = Importer(glance, Progress(wanted=False)).run(stream, Wanted(name, AMD64))
    return image


def test_only_the_config_is_read_where_an_index_says_where(
    glance: Counting, silent: Progress, data: bytes
) -> None:
    """And it is what a whole reading finds."""
    image = imported(glance, data)
    inspector = Inspector(glance, silent)
    by_index = inspector.describe(image, AMD64, whole=False)
    assert glance.readings == 0
    assert inspector.describe(image, AMD64, whole=True) == by_index
    assert glance.readings == 1
    assert len(by_index.layers) == 2


def without_index(image: Any, text: str | None = None) -> Any:
    """Return an image as other clients upload it, or with another index."""
    kept = {name: value for name, value in image.properties.items() if name != "docker_index"}
    return replace(image, properties=kept if text is None else {**kept, "docker_index": text})


@pytest.mark.parametrize("text", [None, "", "nonsense"])
def test_without_an_index_the_layers_are_not_read_either(
    glance: Counting, silent: Progress, data: bytes, text: str | None
) -> None:
    """What stands between them says what they are."""
    image = imported(glance, data)
    inspector = Inspector(glance, silent)
    found = inspector.describe(without_index(image, text), AMD64, whole=False)
    assert found == inspector.describe(image, AMD64, whole=False)
    assert glance.readings == 0


def test_what_is_compressed_is_read_whole(
    glance: Counting, silent: Progress, data: bytes, saved_images: Any
) -> None:
    """Nobody knows otherwise what it unpacks to."""
    plain = saved_images.layer(b"1")
    config = saved_images.config([saved_images.sha256(plain)])
    packed_layer = saved_images.oci(gzip.compress(plain), config=config).tar()
    for number, archive in enumerate((packed_layer, gzip.compress(data)), 1):
        image = without_index(imported(glance, archive, f"image-{number}"))
        found = Inspector(glance, silent).describe(image, AMD64, whole=False)
        assert found.layers[0].unpacked == len(plain)
        assert glance.readings == number


def test_a_false_index_is_not_believed(glance: Counting, silent: Progress, data: bytes) -> None:
    """Whatever it points to, the config must have the digest that it says, and these layers."""
    image = imported(glance, data)
    inspector = Inspector(glance, silent)
    truth = inspector.describe(image, AMD64, whole=True)
    true = Index.parse(image.properties["docker_index"])
    lies = [
        replace(true, config=replace(true.config, offset=512)),
        replace(true, layers=true.layers[:1]),
        replace(true, size=true.size + 512),
        replace(true, config=replace(true.config, size=1)),
    ]
    for lie in lies:
        assert inspector.describe(without_index(image, lie.text()), AMD64, whole=False) == truth


def test_a_store_without_ranges_is_read_whole(
    glance: Counting, silent: Progress, data: bytes
) -> None:
    """Not every store can give a part."""
    glance.ranges = False
    found = Inspector(glance, silent).describe(imported(glance, data), AMD64, whole=False)
    assert (len(found.layers), glance.readings) == (2, 1)


def test_an_unsound_image_is_told(glance: Counting, silent: Progress, data: bytes) -> None:
    """Somebody may have uploaded it without a check."""
    image = imported(glance, data)
    glance.images[image.id].data = data[:2000]
    with pytest.raises(ImageInvalid):
        Inspector(glance, silent).describe(image, AMD64, whole=True)


def test_others_are_all_container_images_but_this(
    glance: Counting, silent: Progress, data: bytes
) -> None:
    """With their indexes, as far as they have one."""
    image, other = imported(glance, data), imported(glance, data, "other")
    bare = imported(glance, data, "bare")
    del glance.images[bare.id].attributes["docker_index"]
    index = Index.parse(other.properties["docker_index"])
    found = list(Inspector(glance, silent).others(image))
    assert found == [("other", index), ("bare", None)]
