# SPDX-License-Identifier: Apache-2.0
"""Layers in zstd, which an engine is given unpacked, and archives that are read twice for them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import zstandard

from novadocker.archive import Bounds, CheckedArchive
from novadocker.errors import ImageInvalid
from tests.unit.archive.reading import (
    HOST,
    TAG,
    checked,
    members_of,
    reason,
)


def streamed(content: bytes) -> bytes:
    """Return zstd of a writer that did not know how much would come."""
    writer = zstandard.ZstdCompressor().compressobj()
    return writer.compress(content) + writer.flush()


def archive_of(saved_images: Any, packed: list[bytes], layers: tuple[bytes, ...]) -> bytes:
    """Return an OCI archive of layers that are packed in some way."""
    config = saved_images.config([saved_images.sha256(layer) for layer in layers])
    return saved_images.oci(*packed, config=config).tar()


def layers_of(data: bytes) -> tuple[bytes, ...]:
    """Return the layers that the engine would find, from the lowest up."""
    members = members_of(data)
    (manifest,) = json.loads(members["manifest.json"])
    return tuple(members[path] for path in manifest["Layers"])


def twice(data: bytes, second: bytes | None = None) -> tuple[CheckedArchive, list[int]]:
    """Return an archive that can be read again, and how often it was."""
    times: list[int] = []

    def again() -> Iterator[bytes]:
        times.append(1)
        yield data if second is None else second

    return CheckedArchive([data], image="0f5c", tag=TAG, platform=HOST, again=again), times


def test_a_layer_in_zstd_goes_to_the_engine_unpacked(saved_images: Any, layers: Any) -> None:
    """Where it says how long it is, one reading is enough."""
    data = archive_of(saved_images, [zstandard.compress(each) for each in layers], layers)
    archive, times = twice(data)
    assert layers_of(b"".join(archive)) == layers
    assert times == []
    assert [each.unpacked for each in archive.saved_image.layers] == [len(each) for each in layers]
    assert all(each.size != each.unpacked for each in archive.saved_image.layers)


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_a_layer_of_unknown_length_is_read_twice(
    saved_images: Any, layers: Any, order: list[int]
) -> None:
    """The first reading measures it; what was sent before it is not sent again."""
    ways = [streamed, bytes]
    data = archive_of(
        saved_images, [ways[way](each) for way, each in zip(order, layers, strict=True)], layers
    )
    archive, times = twice(data)
    made = b"".join(archive)
    assert layers_of(made) == layers
    assert times == [1]
    assert len(members_of(made)) == 4
    assert b"".join(checked(made)) == made


def test_without_a_second_reading_it_is_refused(saved_images: Any, layers: Any) -> None:
    """The message says what to do."""
    data = archive_of(saved_images, [streamed(each) for each in layers], layers)
    assert "does not say how long it is; 'skopeo copy" in reason(data)


@pytest.mark.parametrize("packed_first", [True, False])
def test_another_archive_at_the_second_reading_is_refused(
    saved_images: Any, layers: Any, packed_first: bool
) -> None:
    """Whether the layer that changed has been sent or only measured."""
    others = saved_images.layer(b"other\n"), saved_images.layer(b"other\n" * 200)
    ways = [streamed, bytes] if packed_first else [bytes, streamed]

    def data(of: tuple[bytes, ...]) -> bytes:
        return archive_of(saved_images, [way(x) for way, x in zip(ways, of, strict=True)], of)

    for second in ((others[0], layers[1]), (layers[0], others[1])):
        archive, times = twice(data(layers), data(second))
        given: list[bytes] = []
        with pytest.raises(ImageInvalid, match="is another one when the archive is read again"):
            given.extend(archive)
        assert times == [1]
        assert b"manifest.json" not in b"".join(given)


@pytest.mark.parametrize("extra", [b"", b"\0" * 512])
def test_a_false_promise_is_refused(saved_images: Any, layers: Any, extra: bytes) -> None:
    """Two frames hold more than the first says; the engine is not given a byte beyond it."""
    packed = zstandard.compress(layers[0][:1024]) + zstandard.compress(layers[0][1024:] + extra)
    whole = layers[0] + extra
    data = archive_of(saved_images, [packed], (whole,))
    assert "unpacks to something else than the 1024 bytes that it promises" in reason(data)


def test_a_bomb_in_zstd_is_refused(saved_images: Any) -> None:
    """Whether it is a layer or all of the archive."""
    layer = saved_images.layer(bytes(4 << 20))
    bounds = Bounds(ratio=50, ratio_from=1 << 20)
    inner = archive_of(saved_images, [zstandard.compress(layer)], (layer,))
    outer = zstandard.compress(saved_images.old_style(layer).tar())
    for data in (inner, outer):
        assert "more than 50 times its compressed size" in reason(data, bounds)


def test_a_changed_layer_in_zstd_is_noticed(saved_images: Any, layers: Any) -> None:
    """Its content is what the config promises, or the image is refused."""
    data = archive_of(saved_images, [zstandard.compress(layers[1])], (layers[0],))
    assert "has the digest" in reason(data)
