# SPDX-License-Identifier: Apache-2.0
"""Layers whose few bytes are made to cost a reader much work or memory."""

import functools
import gzip
import hashlib
import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import zstandard

from tests.unit.archive.members import changed, directory, file, pax, record, symlink

DEEP = "d/" * 240
# Headers before what follows them: enough to keep a reader busy, were its work not bounded.
COUNT = 5_000


def headers(name: str, count: int, flag: bytes = b"0") -> Iterator[bytes]:
    """Give empty members whose names end in a number."""
    at = len(name)
    template = changed(file(f"{name}{0:08}", b""), 156, flag)
    plain = sum(template[:148]) + sum(template[156:]) + 8 * ord(" ") - 8 * ord("0")
    for number in range(count):
        digits = b"%08d" % number
        made = bytearray(template)
        made[at : at + 8] = digits
        made[148:156] = b"%06o\0 " % (plain + sum(digits))
        yield bytes(made)


def chain_of_links() -> Iterator[bytes]:
    """Give members behind 39 links in a deep directory, each time another way."""
    yield directory(f"{DEEP}z")
    yield from (symlink(f"{DEEP}l{number}", f"l{number + 1}") for number in range(39))
    yield symlink(f"{DEEP}l39", "z")
    for number in range(COUNT):
        yield file(f"{DEEP}l{number % 40}/{number}", b"")
        yield file(f"other/{number}", b"")


def links_to_long_ways() -> Iterator[bytes]:
    """Give members behind links whose targets have two thousand parts."""
    yield symlink("s", "d")
    yield directory("d")
    yield symlink("d/s", ".")
    yield from (symlink(f"l{number}", "s/" * 2000) for number in range(40))
    yield from (file(f"l{number % 40}/x{number}/y", b"") for number in range(COUNT))


def fresh_directories() -> Iterator[bytes]:
    """Give members each of which lies deep in directories of its own."""
    yield symlink("l", "x")
    yield from (file(f"{number}/{DEEP}x", b"") for number in range(COUNT))


def many_known_directories() -> Iterator[bytes]:
    """Give members that go round among more deep directories than are remembered."""
    ways = [f"{number}/" + "d/" * 40 for number in range(4500)]
    for turn in itertools.count():
        if turn == 2:
            return
        yield from (file(f"{way}{turn}", b"") for way in ways)


def tiny_members() -> Iterator[bytes]:
    """Give more empty files than a layer may have."""
    return headers("usr/share/doc/", 360_000)


def records_of_nothing() -> Iterator[bytes]:
    """Give extended headers of a MiB in records of six bytes each."""
    keys = b"6 a=\n\n"
    yield from (record(b"x", keys * 170_000) + file(f"x{number}", b"") for number in range(12))


def huge_records() -> Iterator[bytes]:
    """Give extended headers of a MiB in one record each."""
    yield from (pax(comment="x" * 1_000_000) + file(f"x{number}", b"") for number in range(20))


def long_targets() -> Iterator[bytes]:
    """Give symbolic links whose targets are as long as Linux has them."""
    yield from (symlink(f"l{number}", "t" * 4090) for number in range(COUNT))


def long_names() -> Iterator[bytes]:
    """Give files whose names are as long as Linux has them."""
    yield from (file(f"{number:06}" + "n" * 4000, b"") for number in range(COUNT))


LAYERS: tuple[Callable[[], Iterator[bytes]], ...] = (
    chain_of_links,
    links_to_long_ways,
    fresh_directories,
    many_known_directories,
    tiny_members,
    records_of_nothing,
    huge_records,
    long_targets,
    long_names,
)


@functools.cache
def layer(made: Callable[[], Iterator[bytes]]) -> bytes:
    """Return a layer, made once."""
    return b"".join(made()) + bytes(1024)


REMEMBERED = fresh_directories, many_known_directories, long_targets
REFUSED = fresh_directories, tiny_members, records_of_nothing


def tiny_gzip_members(layer: bytes) -> bytes:
    """Return a layer behind two million gzip members that hold nothing."""
    return gzip.compress(b"", mtime=0) * 400_000 + gzip.compress(layer, mtime=0)


def tiny_zstd_frames(layer: bytes) -> bytes:
    """Return a layer behind zstd frames that hold nothing and want a large window."""
    parameters = zstandard.ZstdCompressionParameters(window_log=25)
    writer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return (writer.compress(b"") + writer.flush()) * 300_000 + zstandard.compress(layer)


def tiny_zstd_blocks(layer: bytes) -> bytes:
    """Return a layer behind one zstd frame of empty blocks."""
    head = zstandard.FRAME_HEADER
    return head + b"\0\x58" + bytes(3) * 2_000_000 + b"\1\0\0" + zstandard.compress(layer)


PACKED = tiny_gzip_members, tiny_zstd_frames, tiny_zstd_blocks


def index_of_one_manifest(saved_images: Any) -> bytes:
    """Return an OCI archive whose index names one large manifest ten thousand times."""
    image = saved_images.oci(b"")
    members = dict(image.members)
    index = json.loads(members["index.json"])
    (descriptor,) = index["manifests"]
    descriptor.pop("platform", None)
    index["manifests"] = [descriptor] * 9_000
    members["index.json"] = json.dumps(index).encode()
    made: bytes = saved_images.Archive(members).tar()
    return made


def indexes_of_each_other(saved_images: Any) -> bytes:
    """Return an OCI archive whose index names a second one a thousand times, as that a third."""
    image = saved_images.oci(b"")
    members = dict(image.members)
    (descriptor,) = json.loads(members["index.json"])["manifests"]
    for _level in range(2):
        text = json.dumps({"schemaVersion": 2, "manifests": [descriptor] * 3000}).encode()
        digest = hashlib.sha256(text).hexdigest()
        members[f"blobs/sha256/{digest}"] = text
        descriptor = {
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "digest": f"sha256:{digest}",
            "size": len(text),
        }
    members["index.json"] = json.dumps(
        {"schemaVersion": 2, "manifests": [descriptor] * 3000}
    ).encode()
    made: bytes = saved_images.Archive(members).tar()
    return made


def images_of_one_config(saved_images: Any) -> bytes:
    """Return a saved archive whose manifest names one large config with many lists of layers."""
    image = saved_images.old_style(b"")
    members = dict(image.members)
    (entry,) = json.loads(members["manifest.json"])
    config = json.loads(members[entry["Config"]])
    config["history"] = [{"created_by": "x" * 10}] * 30_000
    text = json.dumps(config).encode()
    entries = [{**entry, "Config": "config", "Layers": [str(number)]} for number in range(9_000)]
    members |= {"config": text, "manifest.json": json.dumps(entries).encode()}
    made: bytes = saved_images.Archive(members).tar()
    return made


def config_of_empty_objects(saved_images: Any) -> bytes:
    """Return a saved archive whose config is two MiB of empty objects."""
    image = saved_images.old_style(b"")
    members = dict(image.members)
    (entry,) = json.loads(members["manifest.json"])
    config = members[entry["Config"]][:-1] + b', "x": [' + b"{}," * 600_000 + b"{}]}"
    members |= {
        "config": config,
        "manifest.json": json.dumps([{**entry, "Config": "config"}]).encode(),
    }
    made: bytes = saved_images.Archive(members).tar()
    return made


ARCHIVES = (
    index_of_one_manifest,
    indexes_of_each_other,
    images_of_one_config,
    config_of_empty_objects,
)
