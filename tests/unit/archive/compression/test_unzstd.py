# SPDX-License-Identifier: Apache-2.0
"""Zstandard, undone a block at a time."""

import random
import struct

import pytest
import zstandard

from novadocker.archive import Bounds, Fault
from novadocker.archive.budget import Budget
from novadocker.archive.compression.unzstd import Unzstd, promised_size

NOISE = random.Random(7).randbytes(300_000)  # noqa: S311 - filling
TEXT = b"the quick brown fox " * 40_000
SKIPPABLE = struct.pack("<II", 0x184D2A53, 5) + b"notes"


def packed(content: bytes, **parameters: bool | int) -> bytes:
    """Return one frame."""
    return zstandard.ZstdCompressor(**parameters).compress(content)


def streamed(content: bytes) -> bytes:
    """Return one frame of a writer that did not know how much would come."""
    writer = zstandard.ZstdCompressor(write_checksum=True).compressobj()
    return writer.compress(content) + writer.flush()


def unpacked(stream: bytes, piece: int = 65536, bounds: Bounds | None = None) -> bytes:
    """Return what a stream holds."""
    bounds = bounds or Bounds()
    unzstd = Unzstd("it", bounds, Budget.of(bounds))
    parts = [
        part for at in range(0, len(stream), piece) for part in unzstd.feed(stream[at : at + piece])
    ]
    unzstd.finish()
    assert all(0 < len(part) <= 128 << 10 for part in parts)
    return b"".join(parts)


@pytest.mark.parametrize("piece", [1, 7, 65536])
@pytest.mark.parametrize(
    ("stream", "content"),
    [
        (packed(b""), b""),
        (packed(b"x", write_content_size=False), b"x"),
        (packed(TEXT, write_checksum=True), TEXT),
        (packed(NOISE[:9000], write_checksum=True, write_content_size=False), NOISE[:9000]),
        (streamed(TEXT), TEXT),
        (SKIPPABLE + streamed(b"a") + SKIPPABLE + packed(b"b") + SKIPPABLE, b"ab"),
        (packed(bytes(1 << 20)), bytes(1 << 20)),
    ],
)
def test_streams_of_every_kind_are_undone(stream: bytes, content: bytes, piece: int) -> None:
    """With and without size and checksum, of one frame and several, cut anywhere."""
    assert unpacked(stream, piece) == content


@pytest.mark.parametrize("stream", [packed(TEXT[:3000], write_checksum=True), streamed(NOISE[:99])])
def test_every_truncation_is_noticed(stream: bytes) -> None:
    """The checksum's last byte counts too."""
    for length in range(len(stream)):
        with pytest.raises(Fault):
            unpacked(stream[:length])


def test_every_changed_bit_is_noticed() -> None:
    """A frame with a checksum has nothing that can change; its window may be another one."""
    stream = streamed(TEXT[:500])
    for at in range(len(stream)):
        for bit in range(8):
            damaged = bytearray(stream)
            damaged[at] ^= 1 << bit
            try:
                assert unpacked(bytes(damaged)) == TEXT[:500]
            except Fault:
                continue
            assert at in {4, 5}


@pytest.mark.parametrize(
    ("stream", "why"),
    [
        (b"", "cut off in the middle"),
        (SKIPPABLE, "cut off in the middle"),
        (packed(b"a") + b"\0" * 8, "neither a frame nor its end"),
        (packed(b"a") + b"tail!", "neither a frame nor its end"),
        (packed(b"a")[:-4] + b"\xff\xff\xff\xff", "not sound zstd"),
        (b"\x28\xb5\x2f\xfd\x00\x58" + b"\x07\x00\x00", "not sound zstd"),
        (
            b"\x28\xb5\x2f\xfd\x00\x58" + struct.pack("<I", 1 | 1 << 1 | 1 << 20 | 8)[:3] + b"a",
            "not s",
        ),
        (b"\x28\xb5\x2f\xfd\x00\xa0" + b"\x01\x00\x00", "a zstd window of 1073741824 bytes"),
        (b"\x28\xb5\x2f\xfd\x01\x58\x07" + b"\x01\x00\x00", "needs a zstd dictionary"),
    ],
)
def test_what_is_not_sound_is_refused(stream: bytes, why: str) -> None:
    """With a word on what is wrong."""
    with pytest.raises(Fault, match=why):
        unpacked(stream)


def test_the_window_is_bounded() -> None:
    """It is memory that the stream asks for, whatever it holds."""
    parameters = zstandard.ZstdCompressionParameters(window_log=24, write_content_size=False)
    writer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    stream = writer.compress(TEXT) + writer.flush()
    assert unpacked(stream) == TEXT
    with pytest.raises(Fault, match="a zstd window of 16777216 bytes; at most 1000000"):
        unpacked(stream, bounds=Bounds(window=1_000_000))


def test_growth_is_bounded() -> None:
    """A kilobyte of repeated blocks holds 32 MiB, and is given up after the first one too many."""
    block = struct.pack("<I", 1 << 1 | (128 << 10) << 3)[:3] + b"a"
    bomb = b"\x28\xb5\x2f\xfd\x00\x58" + block * 256
    unzstd = Unzstd("it", Bounds(ratio=50, ratio_from=1 << 20), Budget.of(Bounds()))
    given: list[bytes] = []
    with pytest.raises(Fault, match="more than 50 times"):
        given.extend(unzstd.feed(bomb))
    assert sum(map(len, given)) <= 1 << 20


def test_a_frame_says_how_long_it_is_or_does_not() -> None:
    """What it says is a promise, not a fact."""
    assert promised_size(packed(TEXT)[:18]) == len(TEXT)
    assert promised_size(packed(b"")) == 0
    assert promised_size(streamed(TEXT)[:18]) is None
    assert promised_size(SKIPPABLE + packed(TEXT)) is None
    assert promised_size(b"\x28\xb5\x2f\xfd") is None
    assert promised_size(b"tar") is None
