# SPDX-License-Identifier: Apache-2.0
"""An archive is understood without its layers, and given without those that are not wanted."""

import dataclasses
import functools
import gzip
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import zstandard

from novadocker.archive import (
    Bounds,
    Fault,
    Index,
    Outline,
    Scattered,
    ThinArchive,
    Treatment,
    Windows,
    gaps,
    outline,
)
from novadocker.archive.windows import WINDOW
from novadocker.errors import ImageInvalid
from tests.unit.archive.reading import (
    HOST,
    TAG,
    checked,
    members_of,
)

MIB = 1024 * 1024


class Stored:
    """An archive somewhere, of which ranges can be had; it notes which."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.asked: list[tuple[int, int]] = []

    def fetch(self, offset: int, length: int) -> bytes:
        """Give a range."""
        assert length > 0
        assert offset + length <= len(self.data)
        self.asked.append((offset, length))
        return self.data[offset : offset + length]

    def pieces(self, offset: int, length: int) -> Iterator[bytes]:
        """Give a range in pieces."""
        data = self.fetch(offset, length)
        yield from (data[at : at + 1000] for at in range(0, length, 1000))

    @property
    def read(self) -> int:
        """Bytes that were asked for."""
        return sum(length for _, length in self.asked)

    def outline(self, index: Index | None = None) -> Outline:
        """Find out what it holds."""
        fetched = [(at, self.fetch(at, length)) for at, length in gaps(index)] if index else []
        return outline(Windows(self.fetch, len(self.data), fetched), HOST, Bounds())

    def thin(self, treatments: Mapping[str, Treatment], of: Outline | None = None) -> ThinArchive:
        """Return what is given of it."""
        return ThinArchive(of or self.outline(), treatments, self.pieces, image="0f5c", tag=TAG)


@pytest.fixture
def large(saved_images: Any) -> tuple[bytes, bytes]:
    """Return two layers that take many windows."""
    return saved_images.layer(b"l" * MIB), saved_images.layer(b"u" * MIB)


def whole(data: bytes) -> Any:
    """Return an archive that was read as a whole."""
    archive = checked(data)
    b"".join(archive)
    return archive


def test_an_outline_is_what_the_whole_says(form: Any, large: tuple[bytes, bytes]) -> None:
    """Config, paths and digests are the same, and the layers are hardly touched."""
    stored = Stored(form(*large).tar())
    found = stored.outline()
    image = whole(stored.data).saved_image
    assert (found.image.id, found.image.paths) == (image.id, image.paths)
    assert [layer.diff_id for layer in found.image.layers] == [
        layer.diff_id for layer in image.layers
    ]
    assert [stored.data[part.offset : part.offset + part.size] for part in found.parts] == list(
        large
    )
    assert stored.read <= 5 * WINDOW


def test_an_index_tells_what_to_fetch_first(form: Any, large: tuple[bytes, bytes]) -> None:
    """Then nothing has to be looked for."""
    stored = Stored(form(*large).tar())
    index = whole(stored.data).index
    found = stored.outline(index)
    assert stored.asked == gaps(index)
    assert found == Stored(stored.data).outline()


@pytest.mark.parametrize("lie", ["shifted", "swapped", "hollow", "one layer only"])
def test_a_false_index_changes_nothing(form: Any, large: tuple[bytes, bytes], lie: str) -> None:
    """Wherever it points, what the archive's own headers say is what counts."""
    stored = Stored(form(*large).tar())
    index = whole(stored.data).index
    lower, upper = index.layers
    false = {
        "shifted": (dataclasses.replace(lower, offset=lower.offset + 512, size=1024), upper),
        "swapped": (dataclasses.replace(lower, diff_id=upper.diff_id), lower),
        "hollow": (dataclasses.replace(lower, offset=512, size=len(stored.data) - 512),),
        "one layer only": (upper,),
    }[lie]
    found = stored.outline(dataclasses.replace(index, layers=false))
    assert found == Stored(stored.data).outline()


@pytest.mark.parametrize("pack", [functools.partial(gzip.compress, mtime=0), zstandard.compress])
def test_compressed_layers_are_known_for_what_they_are(saved_images: Any, pack: Any) -> None:
    """What is inside is only known when they are read."""
    layer = saved_images.layer(bytes(range(256)) * 99)
    config = saved_images.config([saved_images.sha256(layer)])
    stored = Stored(saved_images.new_style(pack(layer), config=config).tar())
    found = stored.outline()
    (part,) = found.parts
    archive = stored.thin({part.path: Treatment.SEND}, found)
    members = members_of(b"".join(archive))
    assert members["0.tar"] in {layer, pack(layer)}
    assert archive.saved_image.layers[0].unpacked == len(layer)


@pytest.mark.parametrize("cut", [0, 100, 512, 3000, MIB, 2 * MIB])
def test_an_archive_that_is_cut_off_has_no_outline(
    saved_images: Any, large: tuple[bytes, bytes], cut: int
) -> None:
    """Wherever it ends."""
    with pytest.raises(Fault):
        Stored(saved_images.old_style(*large).tar()[:cut]).outline()


def test_an_archive_of_very_many_parts_is_given_up(saved_images: Any) -> None:
    """It costs fewer requests to read it as a whole."""
    archive = saved_images.old_style(saved_images.layer())
    archive.members |= {f"x/{number}": b"{}" + b" " * 40_000 for number in range(900)}
    with pytest.raises(Scattered):
        Stored(archive.tar()).outline()


def test_what_follows_the_end_is_not_read_without_end(saved_images: Any) -> None:
    """Zeros may follow a tar archive, and nobody has to fetch a GiB of them in small pieces."""
    with pytest.raises(Scattered):
        Stored(saved_images.old_style(saved_images.layer()).tar() + bytes(40 * MIB)).outline()


def test_a_place_cannot_be_two_different_layers(
    saved_images: Any, layers: tuple[bytes, bytes]
) -> None:
    """One of the two digests would never be looked at."""
    config = saved_images.config([saved_images.sha256(layer) for layer in layers])
    archive = saved_images.old_style(layers[0], layers[0], config=config)
    with pytest.raises(Fault, match="both"):
        Stored(archive.tar()).outline()


@pytest.mark.parametrize("left", [Treatment.LEAVE, Treatment.CHECK])
def test_a_layer_that_the_engine_has_is_named_and_not_sent(
    form: Any, large: tuple[bytes, bytes], left: Treatment
) -> None:
    """The manifest is the same as of the whole."""
    stored = Stored(form(*large).tar())
    found = stored.outline()
    lower, upper = found.image.paths
    stored.asked.clear()
    archive = stored.thin({lower: left, upper: Treatment.SEND}, found)
    members = members_of(b"".join(archive))
    (manifest,) = json.loads(members["manifest.json"])
    assert manifest["RepoTags"] == [TAG]
    assert set(members) == {manifest["Layers"][1], manifest["Config"], "manifest.json"}
    assert members[manifest["Layers"][1]] == large[1]
    assert len(archive.checked) == (1 if left is Treatment.LEAVE else 2)
    assert stored.read == sum(map(len, large if left is Treatment.CHECK else large[1:]))


@pytest.mark.parametrize("treatment", [Treatment.SEND, Treatment.CHECK])
def test_junk_in_place_of_a_layer_is_refused(
    form: Any, large: tuple[bytes, bytes], saved_images: Any, treatment: Treatment
) -> None:
    """Of the right length, and where nothing else tells: no manifest comes out."""
    honest = form(*large)
    junk = saved_images.layer(b"j" * MIB)
    for name, content in honest.members.items():
        if content == large[0]:
            honest.members[name] = junk
    stored = Stored(honest.tar())
    found = stored.outline()
    lower, upper = found.image.paths
    given: list[bytes] = []
    with pytest.raises(ImageInvalid, match="digest"):
        given.extend(stored.thin({lower: treatment, upper: Treatment.LEAVE}, found))
    assert b"manifest.json" not in b"".join(given)


def test_a_layer_alone_ends_only_when_it_was_found_right(
    saved_images: Any, large: tuple[bytes, bytes]
) -> None:
    """The engine would take a beginning that is a whole tar archive for a layer."""
    stored = Stored(saved_images.old_style(*large).tar())
    found = stored.outline()
    lower, upper = found.image.paths
    archive = stored.thin(dict.fromkeys(found.image.paths, Treatment.SEND), found)
    assert b"".join(archive.alone(lower)) == large[0]
    assert set(members_of(b"".join(archive))) >= {"0.tar", "manifest.json"}
    assert len(archive.checked) == 2
    spoilt = bytearray(stored.data)
    spoilt[found.parts[0].offset + MIB // 2] ^= 1
    archive = Stored(bytes(spoilt)).thin(dict.fromkeys((lower, upper), Treatment.SEND), found)
    given: list[bytes] = []
    with pytest.raises(ImageInvalid, match="digest"):
        given.extend(archive.alone(found.parts[0].path))
    assert len(b"".join(given)) < len(large[0]) - 512


def test_a_layer_that_breaks_off_is_refused(saved_images: Any, large: tuple[bytes, bytes]) -> None:
    """Fewer bytes than were asked for are not the layer."""
    stored = Stored(saved_images.old_style(*large).tar())
    found = stored.outline()
    archive = ThinArchive(
        found,
        dict.fromkeys(found.image.paths, Treatment.CHECK),
        lambda offset, length: stored.pieces(offset, length - 1024),
        image="0f5c",
        tag=TAG,
    )
    with pytest.raises(ImageInvalid):
        b"".join(archive)
