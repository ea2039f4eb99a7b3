# SPDX-License-Identifier: Apache-2.0
"""Static BusyBox for images of tests."""

import functools
import io
import shutil
import tarfile
from pathlib import Path

from novadocker.cloud.samples import busybox
from novadocker.virt.docker.check.findings import is_static


@functools.cache
def program() -> bytes:
    """Return the program: the machine's own if static, else from Debian's package."""
    found = shutil.which("busybox")
    if found and is_static(Path(found)):
        return Path(found).read_bytes()
    return busybox.unpacked()[0]


def put(tar: tarfile.TarFile, name: str) -> None:
    """Put it into an archive under a name."""
    member = tarfile.TarInfo(name)
    member.mode, member.size = 0o755, len(program())
    tar.addfile(member, io.BytesIO(program()))
