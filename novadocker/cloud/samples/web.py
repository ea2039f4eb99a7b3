# SPDX-License-Identifier: Apache-2.0
"""A tiny image: BusyBox with a web server that tells on which server it runs."""

import io
import subprocess
import tarfile
import tempfile
from pathlib import Path

from novadocker.cloud.samples import apt
from novadocker.cloud.samples.sample import Sample

_SERVE = b"""\
#!/bin/sh
# A shell stays the first process: httpd has no handler for TERM, and the kernel
# spares a first process what it has no handler for.
trap 'kill $!; exit 0' TERM INT
echo "$(hostname) serves HTTP on port 80"
ip -o address show | while read -r _ link family address _; do
    echo "$(hostname) has $family $address on $link"
done
httpd -f -v -p 80 -h /www &
wait $!
"""

_PAGE = b"""\
#!/bin/sh
echo "Content-Type: text/plain"
echo
echo "Hello from $(hostname)"
ip -o address show scope global | while read -r _ link family address _; do
    echo "$link $family $address"
done
"""

_FILES = {
    "bin/serve": (_SERVE, 0o755),
    "www/cgi-bin/index.cgi": (_PAGE, 0o755),
    "etc/passwd": (b"root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000::/home/web:/bin/sh\n", 0o644),
    "etc/group": (b"root:x:0:\nweb:x:1000:\n", 0o644),
}
_DIRECTORIES = {
    **dict.fromkeys(("bin", "dev", "etc", "home", "home/web", "proc", "sys", "www"), 0o755),
    "www/cgi-bin": 0o755,
    "root": 0o700,
    "tmp": 0o1777,
}


def build(root: Path) -> None:
    """Write the root file system, of Debian's ``busybox-static`` and two scripts.

    The package is only unpacked: it cannot be installed beside ``busybox``.
    """
    busybox, applets = _busybox()
    with tarfile.open(root, "w") as archive:
        for name, mode in _DIRECTORIES.items():
            archive.addfile(_entry(name, tarfile.DIRTYPE, mode))
        for name, (content, mode) in {"bin/busybox": (busybox, 0o755), **_FILES}.items():
            entry = _entry(name, tarfile.REGTYPE, mode)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        for applet in applets:
            entry = _entry(f"bin/{applet}", tarfile.SYMTYPE, 0o777)
            entry.linkname = "busybox"
            archive.addfile(entry)


def _busybox() -> tuple[bytes, list[str]]:
    with tempfile.TemporaryDirectory() as scratch:
        package = apt.download("busybox-static", Path(scratch))
        subprocess.run(["dpkg-deb", "--extract", package, scratch], check=True)
        # Its place is /usr/bin in later releases.
        program = next(path for path in Path(scratch).rglob("bin/busybox") if path.is_file())
        listed = subprocess.run([program, "--list"], check=True, capture_output=True, text=True)
        return program.read_bytes(), [name for name in listed.stdout.split() if name != "busybox"]


def _entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = kind, mode
    return entry


WEB = Sample("web", ("/bin/serve",), Path(__file__), build)
