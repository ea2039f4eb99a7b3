# SPDX-License-Identifier: Apache-2.0
"""BusyBox of Debian's ``busybox-static``: one program, many names."""

import subprocess
import tempfile
from pathlib import Path

from novadocker.cloud.machine import apt


def unpacked() -> tuple[bytes, list[str]]:
    """Return the program and all applets' names.

    The package is only unpacked: it cannot be installed beside ``busybox``.
    """
    with tempfile.TemporaryDirectory() as scratch:
        package = apt.download("busybox-static", Path(scratch))
        subprocess.run(["dpkg-deb", "--extract", package, scratch], check=True)
        # Its place is /usr/bin in later releases.
        program = next(path for path in Path(scratch).rglob("bin/busybox") if path.is_file())
        listed = subprocess.run([program, "--list"], check=True, capture_output=True, text=True)
        return program.read_bytes(), [name for name in listed.stdout.split() if name != "busybox"]
