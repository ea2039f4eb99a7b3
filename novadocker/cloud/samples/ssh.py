# SPDX-License-Identifier: Apache-2.0
"""A small image with an SSH server: Dropbear, Bash, ping, and BusyBox for the rest."""

import subprocess
import tempfile
from pathlib import Path

from novadocker.cloud.machine import apt
from novadocker.cloud.samples import busybox
from novadocker.cloud.samples.sample import Sample
from novadocker.cloud.samples.tree import Tree

# BusyBox's ping wants a raw socket, which a container has not; the other does without. And
# BusyBox's shell would not look for another ping than its own.
_PACKAGES = ("dropbear-bin", "iputils-ping")
_SHELL = ("bash", "libtinfo6")
_PROGRAMS = ("bash", "dropbear", "dropbearkey", "dbclient", "ping", "ping4", "ping6")

_START = b"""\
#!/bin/sh
# A shell stays the first process: it buries the orphans that sessions leave, and ends on TERM.
trap 'kill $!; exit 0' TERM INT
key=/etc/dropbear/host_key
test -e "$key" || dropbearkey -t ed25519 -f "$key" >/dev/null
echo "$(hostname) has the host key $(dropbearkey -y -f "$key" | grep ^Fingerprint)"
dropbear -F -E -r "$key" &
# What a console shows of a machine that has started; some wait for it.
echo "$(hostname) login: over the network, with a key"
wait $!
"""
# The real one gains nothing here (no-new-privileges), and who logs in is root already.
_SUDO = b"""\
#!/bin/sh
exec "$@"
"""
# What of curl's command line the metadata service is asked with; its own needs forty libraries.
_CURL = b"""\
#!/bin/sh
while [ $# -gt 0 ]; do
    case "$1" in
        -V | --version) exec echo "curl, by BusyBox" ;;
        -X) shift ;;
        -d) shift; data=$1 ;;
        *) url=$1 ;;
    esac
    shift
done
exec wget -q -O - ${data+"--post-data=$data"} "$url"
"""
# Interfaces are on before the first instruction, and no process of a server may switch them. What
# is listed as eth0@if9, its other end behind it, is called by that, too.
_IP = b"""\
#!/bin/sh
for word; do
    shift
    set -- "$@" "${word%@if*}"
done
case "$*" in
    "link set dev "*" up") shift 3 ;;
    "link set "*" up") shift 2 ;;
    *) exec busybox ip "$@" ;;
esac
busybox ip -o link show "$1" | grep -q '[<,]UP[,>]'
"""
# BusyBox's listens once; netcat's -k is to listen on. It keeps its name, by which it is ended.
_NC = b"""\
#!/bin/sh
nc=/usr/lib/busybox/nc
case " $* " in
    *" -lk "*) ;;
    *) exec "$nc" "$@" ;;
esac
while [ $# -gt 0 ]; do
    case "$1" in
        -lk) ;;
        -p) shift; port=$1 ;;
        -e) break ;;
        *) echo "nc: $1 is not for this one" >&2; exit 1 ;;
    esac
    shift
done
while "$nc" -l -p "$port" "$@"; do :; done
"""
# BusyBox as Debian builds it has none, and Debian's own wants 10 MB of libraries.
_CHPASSWD = b"""\
#!/bin/sh
[ "$1" = -e ] || exit 2
while IFS=: read -r user hash; do
    grep -q "^$user:" /etc/shadow || exit 1
    sed -i "s#^$user:[^:]*#$user:$hash#" /etc/shadow
done
"""

_FILES = {
    "usr/sbin/start": (_START, 0o755),
    "usr/bin/sudo": (_SUDO, 0o755),
    "usr/sbin/chpasswd": (_CHPASSWD, 0o755),
    "usr/bin/curl": (_CURL, 0o755),
    "usr/bin/nc": (_NC, 0o755),
    "usr/sbin/ip": (_IP, 0o755),
    "etc/passwd": (b"root:x:0:0:root:/root:/bin/sh\n", 0o644),
    "etc/shadow": (b"root:*:19000:0:99999:7:::\n", 0o600),
    "etc/group": (b"root:x:0:\n", 0o644),
    "etc/shells": (b"/bin/sh\n", 0o644),
}
_DIRECTORIES = {
    **dict.fromkeys(("dev", "etc", "etc/dropbear", "home", "proc", "run", "sys"), 0o755),
    **dict.fromkeys(("usr", "usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "var"), 0o755),
    "usr/lib/busybox": 0o755,
    **dict.fromkeys(("var/lib", "var/log"), 0o755),
    "root": 0o700,
    "tmp": 0o1777,
}
# As Debian has them: one /usr, whatever a package still calls it.
_LINKS = {name: f"usr/{name}" for name in ("bin", "sbin", "lib", "lib64")}
_LINKS["usr/bin/sh"] = "bash"
_LINKS["usr/lib/busybox/nc"] = "../../bin/busybox"


def build(root: Path) -> None:
    """Write the root file system, of Debian's packages and a few scripts."""
    program, applets = busybox.unpacked()
    with tempfile.TemporaryDirectory(dir=root.parent) as name:
        found = _unpacked(Path(name))
    files = {"usr/bin/busybox": (program, 0o755), **found.files, **_FILES}
    taken = {Path(path).name for path in (*files, *found.links, *_LINKS)}
    links = {f"usr/bin/{applet}": "busybox" for applet in applets if applet not in taken}
    Tree({**_DIRECTORIES, **found.directories}, files, {**_LINKS, **found.links, **links}).write(
        root
    )


def _unpacked(scratch: Path) -> Tree:
    """Take programs and the needed libraries out of Debian's packages."""
    wanted = {*apt.with_dependencies(*_PACKAGES), *_SHELL}
    for package in apt.download_all(sorted(wanted), scratch):
        subprocess.run(["dpkg-deb", "--extract", package, scratch / "root"], check=True)
    return _wanted(scratch / "root")


def _wanted(unpacked: Path) -> Tree:
    directories: dict[str, int] = {}
    files: dict[str, tuple[bytes, int]] = {}
    links: dict[str, str] = {}
    for path in sorted(unpacked.rglob("*")):
        if path.is_dir() or not _is_wanted(path):
            continue
        place = path.relative_to(unpacked)
        if place.parts[0] != "usr":
            place = Path("usr", place)
        directories |= {str(parent): 0o755 for parent in list(place.parents)[-2::-1]}
        if path.is_symlink():
            links[str(place)] = str(path.readlink())
        else:
            files[str(place)] = path.read_bytes(), 0o755
    return Tree(directories, files, links)


def _is_wanted(path: Path) -> bool:
    library = ".so" in path.suffixes and "gconv" not in path.parts
    return library or (path.parent.name in ("bin", "sbin") and path.name in _PROGRAMS)


SSH = Sample("ssh", ("/usr/sbin/start",), Path(__file__), build)
