# SPDX-License-Identifier: Apache-2.0
"""Static BusyBox for images of tests."""

import functools
import io
import shutil
import tarfile
from pathlib import Path

from novadocker.cloud.machine import apt, debian_release
from novadocker.virt.docker.check.findings import is_static


@functools.cache
def program() -> bytes:
    """Return the program: the machine's own if static, else from Debian's package.

    The package is fetched once for all runs: a guest has no network.
    """
    found = shutil.which("busybox")
    if found and is_static(Path(found)):
        return Path(found).read_bytes()
    package = debian_release.unpacked(apt.codename(), ("busybox-static",))
    return package.program("bin/busybox", "usr/bin/busybox").read_bytes()


def put(tar: tarfile.TarFile, name: str) -> None:
    """Put it into an archive under a name."""
    member = tarfile.TarInfo(name)
    member.mode, member.size = 0o755, len(program())
    tar.addfile(member, io.BytesIO(program()))
