# SPDX-License-Identifier: Apache-2.0
"""What must hold for any bytes at all; for tests that make them up."""

import gzip
import hashlib
import json

from novadocker.archive import Bounds, CheckedArchive, Fault
from novadocker.archive.budget import Budget
from novadocker.archive.compression.unzstd import Unzstd
from novadocker.archive.layers.entries import Entries
from novadocker.errors import ImageInvalid
from tests.unit.archive.reading import HOST, TAG, members_of

# Small, so that what passes a bound is found soon; memory is not what is tested.
BOUNDS = Bounds(unpacked=8 << 20, ratio_from=1 << 20, window=4 << 20, entries=1000)
PIECES = 65536, 1021


def image_of(data: bytes) -> str | None:
    """Return the id of the image that an archive is found to hold; None if it is refused.

    Nothing but a refusal may be raised, however the bytes are cut the answer is the same, and
    what the engine is given is what was checked: the config has the id, the layers are what
    the config promises, there is nothing else, and it passes the same check again.
    """
    first, second = (_checked(data, piece) for piece in PIECES)
    assert first == second
    if first is None:
        return None
    image, given = first
    members = members_of(given)
    (manifest,) = json.loads(members.pop("manifest.json"))
    assert manifest["RepoTags"] == [TAG]
    config = members.pop(manifest["Config"])
    assert f"sha256:{hashlib.sha256(config).hexdigest()}" == image
    digests = [_diff_id(members[path]) for path in manifest["Layers"]]
    assert digests == json.loads(config)["rootfs"]["diff_ids"]
    again = _checked(given, PIECES[0])
    assert again is not None
    assert again[0] == image
    return image


def members_in(layer: bytes) -> int | None:
    """Return how many members a layer is found to have; None if it is refused."""
    counts = [_count(layer, piece) for piece in PIECES]
    assert counts[0] == counts[1]
    return counts[0]


def unpacked(stream: bytes) -> bytes | None:
    """Return what a zstd stream is found to hold; None if it is refused."""
    contents = [_unpacked(stream, piece) for piece in PIECES]
    assert contents[0] == contents[1]
    return contents[0]


def _checked(data: bytes, piece: int) -> tuple[str, bytes] | None:
    def chunks() -> list[bytes]:
        return [data[at : at + piece] for at in range(0, len(data), piece)]

    archive = CheckedArchive(
        chunks(), image="0f5c", tag=TAG, platform=HOST, bounds=BOUNDS, again=chunks
    )
    given: list[bytes] = []
    try:
        given.extend(archive)
    except ImageInvalid:
        assert "manifest.json" not in _names(b"".join(given))
        return None
    return archive.saved_image.id, b"".join(given)


def _names(given: bytes) -> list[str]:
    """Return the names of members that came out before it was broken off."""
    names, at = [], 0
    while at + 512 <= len(given):
        names.append(given[at : at + 100].partition(b"\0")[0].decode())
        size = int(given[at + 124 : at + 135], 8)
        at += 512 + size + -size % 512
    return names


def _diff_id(layer: bytes) -> str:
    content = gzip.decompress(layer) if layer.startswith(b"\x1f\x8b") else layer
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _count(layer: bytes, piece: int) -> int | None:
    entries = Entries("it", Budget.of(BOUNDS), BOUNDS)
    try:
        for at in range(0, len(layer), piece):
            entries.feed(layer[at : at + piece])
        entries.finish()
    except Fault:
        return None
    return entries.count


def _unpacked(stream: bytes, piece: int) -> bytes | None:
    unzstd = Unzstd("it", BOUNDS, Budget.of(BOUNDS))
    try:
        parts = [
            part
            for at in range(0, len(stream), piece)
            for part in unzstd.feed(stream[at : at + piece])
        ]
        unzstd.finish()
    except Fault:
        return None
    return b"".join(parts)
