# SPDX-License-Identifier: Apache-2.0
"""Tiny image: BusyBox with a web server, whose page names the server."""

from pathlib import Path

from novadocker.cloud.samples import busybox
from novadocker.cloud.samples.sample import Sample
from novadocker.cloud.samples.tree import Tree

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
    "etc/shadow": (b"root:*:19000:0:99999:7:::\nweb:!:19000:0:99999:7:::\n", 0o600),
    "etc/group": (b"root:x:0:\nweb:x:1000:\n", 0o644),
}
_DIRECTORIES = {
    **dict.fromkeys(("bin", "dev", "etc", "home", "home/web", "proc", "sys", "www"), 0o755),
    "www/cgi-bin": 0o755,
    "root": 0o700,
    "tmp": 0o1777,
}


def build(root: Path) -> None:
    """Write the root file system, of BusyBox and two scripts."""
    program, applets = busybox.unpacked()
    links = {f"bin/{applet}": "busybox" for applet in applets}
    Tree(_DIRECTORIES, {"bin/busybox": (program, 0o755), **_FILES}, links).write(root)


WEB = Sample("web", ("/bin/serve",), Path(__file__), build)
