# SPDX-License-Identifier: Apache-2.0
"""CRIU for suspended servers: of Debian's newest release, beside the machine's own packages.

Debian 12 has CRIU 3.17, which fails on kernels from 6.13 on, and Debian 13 has 4.1, which cannot
read a socket on kernels from 6.16 on.
"""

from pathlib import Path

from novadocker.cloud.machine import debian_release, lock
from novadocker.cloud.machine.command import run

RELEASE = "sid"
PACKAGES = (
    "criu",
    "libbsd0",
    "libc6",
    "libcompel1",
    "libffi8",
    "libgcc-s1",
    "libgmp10",
    "libgnutls30t64",
    "libhogweed6t64",
    "libidn2-0",
    "libjansson4",
    "libmd0",
    "libmnl0",
    "libnet9",
    "libnettle8t64",
    "libnftables1",
    "libnftnl11",
    "libnl-3-200",
    "libp11-kit0",
    "libprotobuf-c1",
    "libtasn1-6",
    "libunistring5",
    "libuuid1",
    "libxtables12",
)
# By the loader of its own C library, since the machine's is older.
_SCRIPT = """\
#!/bin/sh
libraries={root}/usr/lib/x86_64-linux-gnu
exec "$libraries/ld-linux-x86-64.so.2" --library-path "$libraries" {root}/usr/sbin/criu "$@"
"""


def program() -> Path:
    """Return the path of CRIU, fetched or not."""
    return debian_release.root_of(RELEASE, PACKAGES) / "bin" / "criu"


def ensure() -> Path:
    """Return the path of CRIU, fetched at the first time."""
    root, found = debian_release.unpacked(RELEASE, PACKAGES).root, program()
    with lock.awaited("criu"):
        if not found.exists():
            found.parent.mkdir(exist_ok=True)
            fresh = found.with_suffix(".new")
            fresh.write_text(_SCRIPT.format(root=root))
            fresh.chmod(0o755)
            fresh.rename(found)
    run(str(found), "--version")
    return found
