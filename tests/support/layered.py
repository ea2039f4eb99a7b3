# SPDX-License-Identifier: Apache-2.0
"""Saved images of several layers, made on the spot: honest ones and others."""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field

from novadocker.archive import CheckedArchive
from novadocker.virt.docker.host.processor import platform_of_host
from tests.support import busybox

BLOCK = 512
SLEEP = "trap 'exit 0' TERM; /bin/busybox sleep 100000 & wait"
COMMAND = ("/bin/busybox", "sh", "-c", SLEEP)


def tar(files: Mapping[str, bytes], mode: int = 0o755) -> bytes:
    """Return a tar of files."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), mode
            archive.addfile(member, io.BytesIO(content))
    return written.getvalue()


def shell() -> bytes:
    """Return a layer with a shell."""
    return tar({"bin/busybox": busybox.program(), "etc/passwd": b"root:x:0:0::/:/bin/sh\n"})


def junk(size: int) -> bytes:
    """Return a layer of a length, which is none of anybody else's."""
    return tar({"junk": os.urandom(size - 10240 - BLOCK)}).ljust(size, b"\0")[:size]


def digest(content: bytes) -> str:
    """Return a digest in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


@dataclass
class Saved:
    """Image with promises in the config and contents in the archive.

    Attributes:
        layers: from the lowest up.
        instead: bytes that the archive has in place of a layer's; None for none at all.
        tag: name in the manifest.
        command: program of the containers.
    """

    layers: list[bytes]
    instead: dict[int, bytes | None] = field(default_factory=dict)
    tag: str = "somebody/image:latest"
    command: tuple[str, ...] = COMMAND

    def archive(self) -> bytes:
        """Return the archive in the form of ``docker save``."""
        config = json.dumps(
            {
                "architecture": "amd64",
                "os": "linux",
                "config": {"Cmd": list(self.command)},
                "rootfs": {
                    "type": "layers",
                    "diff_ids": [f"sha256:{digest(each)}" for each in self.layers],
                },
            }
        ).encode()
        names = [f"{number}/layer.tar" for number in range(len(self.layers))]
        name = f"{digest(config)}.json"
        has = {
            path: self.instead.get(number, layer)
            for number, (path, layer) in enumerate(zip(names, self.layers, strict=True))
        }
        manifest = [{"Config": name, "RepoTags": [self.tag], "Layers": names}]
        return tar(
            {path: content for path, content in has.items() if content is not None}
            | {name: config, "manifest.json": json.dumps(manifest).encode()},
            mode=0o644,
        )

    def index(self) -> str:
        """Return the index of the honest archive."""
        honest = Saved(self.layers, tag=self.tag, command=self.command).archive()
        archive = CheckedArchive([honest], image="", tag=None, platform=platform_of_host())
        for _ in archive:
            pass
        assert archive.index
        return archive.index.text()
