# SPDX-License-Identifier: Apache-2.0
"""Sound archives of every form and compression, for tests that damage them."""

import gzip
import json
from typing import Any

import zstandard

from tests.unit.archive.members import END, directory, file, hard_link, pax, symlink

LAYERS = (
    directory("etc") + file("etc/motd", b"hello\n") + symlink("bin", "usr/bin") + END,
    file("d/" * 60 + "x") + hard_link("y", "d/" * 60 + "x") + END,
    file("etc/.wh.motd", b"") + pax(path="é") + file("e", b"x" * 700) + END,
)


def streamed(content: bytes) -> bytes:
    """Return zstd that does not say how long it is."""
    writer = zstandard.ZstdCompressor(write_checksum=True).compressobj()
    return writer.compress(content) + writer.flush()


def _gzip(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def archives(saved_images: Any) -> dict[str, bytes]:
    """Return sound archives by what they are."""
    made: dict[str, bytes] = {}
    for form in ("old_style", "new_style", "oci"):
        for pack in (bytes, _gzip, zstandard.compress, streamed):
            config = saved_images.config([saved_images.sha256(layer) for layer in LAYERS])
            packed = [pack(layer) for layer in LAYERS]
            archive = getattr(saved_images, form)(*packed, config=config)
            made[f"{form}-{pack.__name__}"] = archive.tar()
    made["gzip"] = _gzip(made["old_style-bytes"])
    made["zstd"] = streamed(made["oci-bytes"])
    made["plain names"] = _plain_names(saved_images)
    return made


def _plain_names(saved_images: Any) -> bytes:
    # No name is a digest: what is changed in config or manifest is seen by nothing but itself.
    layer = LAYERS[0]
    config = saved_images.config([saved_images.sha256(layer)])
    manifest = json.dumps([{"Config": "config", "Layers": ["layer"], "RepoTags": ["a:b"]}])
    members = {"layer": layer, "config": config, "manifest.json": manifest.encode()}
    made: bytes = saved_images.Archive(members).tar()
    return made
