# SPDX-License-Identifier: Apache-2.0
"""Saved images made on the fly, without a file on disk."""

import hashlib
import json
import os
import tarfile
from collections.abc import Iterator

from novadocker.cloud.samples import busybox

PIECE = 1024 * 1024
# The first process of a container hears only the signals that it has asked for.
SLEEP = "trap 'exit 0' TERM; /bin/busybox sleep 100000 & wait"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def saved(ballast: int = 0) -> Iterator[bytes]:
    """Give an image of a sleeping server, in the form of ``docker save``.

    Args:
        ballast: bytes that no compression makes smaller, in a file of its layer.

    Yields:
        The archive's bytes.
    """
    program = busybox.unpacked()[0]
    head = _member("bin/busybox", len(program), 0o755) + program + _filling(len(program))
    tail = _filling(ballast) + b"\0" * 1024
    if ballast:
        head += _member("ballast", ballast)
    size = len(head) + ballast + len(tail)
    digest = hashlib.sha256()
    yield _member("layer.tar", size)
    for piece in _layer(head, ballast, tail):
        digest.update(piece)
        yield piece
    yield _filling(size)
    for name, content in _documents(digest.hexdigest()).items():
        yield _member(name, len(content)) + content + _filling(len(content))
    yield b"\0" * 1024


def _layer(head: bytes, ballast: int, tail: bytes) -> Iterator[bytes]:
    yield head
    for at in range(0, ballast, PIECE):
        yield os.urandom(min(PIECE, ballast - at))
    yield tail


def _documents(layer_digest: str) -> dict[str, bytes]:
    config = {
        "architecture": ARCHITECTURES[os.uname().machine],
        "os": "linux",
        "config": {"Cmd": ["/bin/busybox", "sh", "-c", SLEEP]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_digest}"]},
    }
    text = json.dumps(config).encode()
    name = f"{hashlib.sha256(text).hexdigest()}.json"
    manifest = [{"Config": name, "RepoTags": None, "Layers": ["layer.tar"]}]
    return {name: text, "manifest.json": json.dumps(manifest).encode()}


def _member(name: str, size: int, mode: int = 0o644) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, mode
    return info.tobuf(tarfile.PAX_FORMAT)


def _filling(size: int) -> bytes:
    return b"\0" * (-size % tarfile.BLOCKSIZE)
