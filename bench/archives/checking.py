# SPDX-License-Identifier: Apache-2.0
"""Time and memory of checking archives made on the fly."""

import hashlib
import json
import random
import tarfile
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass

from bench.measuring.figures import Verdict
from novadocker.archive import CheckedArchive, Platform

MIB = 1024 * 1024
CHUNK = 64 * 1024  # as Nova's Glance client reads
# The issue's: 400 MB/s beyond the hashing; and what the cold load of an image leaves to it.
MUST_NANOSECONDS_PER_BYTE = 1e9 / 400e6
MUST_PEAK_MIB = 64.0
_COLUMNS = ("files", "hash MB/s", "check MB/s", "beyond MB/s", "peak MiB")
HEADING = " " * 34 + "".join(f"{column:>13}" for column in _COLUMNS)
_TOO_FAST_TO_TELL = 99_999


@dataclass(frozen=True)
class Shape:
    """A kind of image.

    Attributes:
        name: word for the table.
        file: bytes of each file in its layer.
    """

    name: str
    file: int


# Debian's base image has 6 800 members in 120 MB, half of them links and directories.
SHAPES = (
    Shape("one large file", 1 << 40),
    Shape("a distribution (16 KiB a file)", 16 * 1024),
    Shape("sources (3 KiB a file)", 3 * 1024),
)


@dataclass(frozen=True)
class Row:
    """Measurements of a kind of archive.

    Attributes:
        shape: the kind.
        size: bytes of the archive.
        files: members of its layer.
        hashing: seconds to take the archive's SHA-256, once.
        checking: seconds to check it, hashing and all.
        beyond: seconds of the best round's difference.
        peak: bytes held while it was checked.
    """

    shape: Shape
    size: int
    files: int
    hashing: float
    checking: float
    beyond: float
    peak: int

    def __str__(self) -> str:
        rates = "".join(
            f"{min(self.size / 1e6 / max(seconds, 1e-6), _TOO_FAST_TO_TELL):13.0f}"
            for seconds in (self.hashing, self.checking, self.beyond)
        )
        return f"{self.shape.name:34}{self.files:13}{rates}{self.peak / MIB:13.1f}"


def measure(shape: Shape, mib: int, rounds: int) -> Row:
    """Check an archive some times.

    Args:
        shape: kind of archive.
        mib: size of the archive.
        rounds: how often.
    """
    chunks, files = _archive(shape, mib * MIB)
    times = [(_seconds_to_hash(chunks), _seconds_to_check(chunks)) for _ in range(rounds)]
    return Row(
        shape,
        sum(map(len, chunks)),
        files,
        min(hashing for hashing, _ in times),
        min(checking for _, checking in times),
        # Never less than nothing: hashing alone waits for memory that checking has at hand.
        max(min(checking - hashing for hashing, checking in times), 0.0),
        _peak(chunks),
    )


def verdicts(rows: list[Row]) -> list[Verdict]:
    """Judge the figures."""
    rates = [
        Verdict(
            f"the check beyond hashing, {row.shape.name}",
            1e9 * row.beyond / row.size,
            MUST_NANOSECONDS_PER_BYTE,
            "ns a byte",
        )
        for row in rows
    ]
    peak = max(row.peak for row in rows) / MIB
    return [*rates, Verdict("memory that is held", peak, MUST_PEAK_MIB, "MiB")]


def _seconds_to_hash(chunks: list[bytes]) -> float:
    started = time.thread_time()
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    digest.hexdigest()
    return time.thread_time() - started


def _seconds_to_check(chunks: list[bytes]) -> float:
    started = time.thread_time()
    for _ in _checked(chunks):
        pass
    return time.thread_time() - started


def _peak(chunks: list[bytes]) -> int:
    tracemalloc.start()
    try:
        for _ in _checked(chunks):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _checked(chunks: list[bytes]) -> CheckedArchive:
    return CheckedArchive(chunks, image="bench", tag="bench:1", platform=Platform("amd64"))


def _archive(shape: Shape, size: int) -> tuple[list[bytes], int]:
    pieces, files = _layer(min(shape.file, size), size)
    layer = b"".join(pieces)
    digest = hashlib.sha256(layer).hexdigest()
    config = {
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
    }
    manifest = [{"Config": "config.json", "Layers": ["layer.tar"]}]
    data = b"".join(
        (
            *_member("layer.tar", layer),
            *_member("config.json", json.dumps(config).encode()),
            *_member("manifest.json", json.dumps(manifest).encode()),
            bytes(1024),
        )
    )
    return [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)], files


def _layer(file: int, size: int) -> tuple[list[bytes], int]:
    filling = random.Random(1)  # noqa: S311 - filling
    # In pieces: Python 3.11 makes no more than 256 MiB at once.
    noise = b"".join(filling.randbytes(min(CHUNK, file - at)) for at in range(0, file, CHUNK))
    files = max(size // file, 1)
    pieces = [
        piece
        for number in range(files)
        for piece in _member(f"usr/lib/python3/package-{number // 30:05}/module_{number}.py", noise)
    ]
    return [*pieces, bytes(1024)], files


def _member(name: str, content: bytes) -> Iterator[bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    yield info.tobuf(tarfile.GNU_FORMAT)
    yield content
    yield bytes(-len(content) % 512)
