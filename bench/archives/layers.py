# SPDX-License-Identifier: Apache-2.0
"""Saved images on disk with a common layer, like a project's."""

import hashlib
import io
import json
import os
import random
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.archives import images
from novadocker.cloud.samples import busybox

MB = 1_000_000
FILE_BYTES = 200_000


@dataclass(frozen=True)
class LayerFile:
    """A layer on the disk."""

    path: Path
    digest: str


def layer(path: Path, size: int, seed: int, *, program: bool = False) -> LayerFile:
    """Write a layer of many incompressible files.

    Args:
        path: where.
        size: bytes of its files.
        seed: number of the layer, for bytes unlike any other's.
        program: a shell is in the layer.
    """
    noise = random.Random(seed)  # noqa: S311 - it is ballast
    with tarfile.open(path, "w") as tar:
        if program:
            shell = tarfile.TarInfo("bin/busybox")
            shell.size, shell.mode = len(found := busybox.unpacked()[0]), 0o755
            tar.addfile(shell, io.BytesIO(found))
        for number in range(size // FILE_BYTES):
            info = tarfile.TarInfo(f"srv/{seed}/{number}")
            info.size = FILE_BYTES
            tar.addfile(info, io.BytesIO(noise.randbytes(FILE_BYTES)))
    with path.open("rb") as file:
        return LayerFile(path, hashlib.file_digest(file, "sha256").hexdigest())


def image(path: Path, layers: Sequence[LayerFile]) -> Path:
    """Write an image of a sleeping server, in the form of ``docker save``.

    Args:
        path: where.
        layers: from the lowest up.
    """
    config = {
        "architecture": images.ARCHITECTURES[os.uname().machine],
        "os": "linux",
        "config": {"Cmd": ["/bin/busybox", "sh", "-c", images.SLEEP]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{each.digest}" for each in layers]},
    }
    text = json.dumps(config).encode()
    name = f"{hashlib.sha256(text).hexdigest()}.json"
    paths = [f"{each.digest}/layer.tar" for each in layers]
    manifest = [{"Config": name, "RepoTags": ["bench:1"], "Layers": paths}]
    with tarfile.open(path, "w") as tar:
        for each, inside in zip(layers, paths, strict=True):
            tar.add(each.path, inside)
        for inside, content in ((name, text), ("manifest.json", json.dumps(manifest).encode())):
            info = tarfile.TarInfo(inside)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path
