# SPDX-License-Identifier: Apache-2.0
"""Root file systems of a program's Debian packages, needed libraries, and BusyBox."""

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from novadocker.cloud.machine import apt
from novadocker.cloud.samples import busybox
from novadocker.cloud.samples.tree import Tree

# Who owns files in packages, and what a program runs as once it has given up root.
_PASSWD = b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/nonexistent:/bin/false\n"
_SHADOW = b"root:*:19000:0:99999:7:::\nnobody:*:19000:0:99999:7:::\n"
_GROUP = b"root:x:0:\nnogroup:x:65534:\n"
_DIRECTORIES = {
    **dict.fromkeys(("dev", "etc", "proc", "run", "sys", "usr", "usr/bin", "usr/lib"), 0o755),
    **dict.fromkeys(("usr/lib64", "usr/sbin", "var", "var/lib", "var/log"), 0o755),
    "root": 0o700,
    "tmp": 0o1777,
}
# As Debian has them: one /usr, whatever a package still calls it.
_MERGED = ("bin", "sbin", "lib", "lib64")
# What packages depend on for the sake of their installation only.
_FOR_INSTALLATION = (
    "adduser",
    "cdebconf",
    "debconf",
    "dpkg",
    "init-system-helpers",
    "install-info",
    "libdebian-installer",
    "libfile-",
    "libnewt",
    "libnumber-",
    "libpam",
    "libperl",
    "libsemanage",
    "libsepol",
    "libslang",
    "libtext",
    "lsb-base",
    "passwd",
    "perl",
    "sysvinit-utils",
    "tar",
    "usr-is-merged",
    "usrmerge",
)
# /usr/lib, /usr/lib64, /usr/lib/x86_64-linux-gnu.
_LIBRARY_DEPTH = 2
_UNWANTED = tuple(
    f"usr/share/{name}" for name in ("bash-completion", "bug", "doc", "lintian", "locale", "man")
)


def write(root: Path, packages: Sequence[str], files: Mapping[str, tuple[bytes, int]]) -> None:
    """Write a root file system.

    Args:
        root: the archive's path.
        packages: names of packages; shared libraries of their dependencies come along.
        files: content and mode by path, of what packages have not.
    """
    program, applets = busybox.unpacked()
    with tempfile.TemporaryDirectory(dir=root.parent) as name:
        found = _unpacked(Path(name), packages)
    own = {
        "usr/bin/busybox": (program, 0o755),
        **found.files,
        "etc/passwd": (_PASSWD, 0o644),
        "etc/shadow": (_SHADOW, 0o600),
        "etc/group": (_GROUP, 0o644),
        **files,
    }
    taken = {Path(path).name for path in (*own, *found.links)}
    links = {f"usr/bin/{applet}": "busybox" for applet in applets if applet not in taken}
    parents = {str(parent): 0o755 for path in own for parent in reversed(Path(path).parents[:-1])}
    merged = {name: f"usr/{name}" for name in _MERGED}
    directories = dict(sorted({**parents, **found.directories, **_DIRECTORIES}.items()))
    Tree(directories, own, {**merged, **found.links, **links}).write(root)


def _unpacked(scratch: Path, packages: Sequence[str]) -> Tree:
    depended = set(apt.with_dependencies(*packages)) - set(packages) if packages else set()
    libraries = [name for name in depended if not name.startswith(_FOR_INSTALLATION)]
    below = _tree(scratch / "libraries", libraries)
    wanted = {path: entry for path, entry in below.items() if _is_library(Path(path))}
    wanted |= _tree(scratch / "packages", packages)
    return Tree(
        {path: entry for path, entry in wanted.items() if isinstance(entry, int)},
        {path: entry for path, entry in wanted.items() if isinstance(entry, tuple)},
        {path: entry for path, entry in wanted.items() if isinstance(entry, str)},
    )


def _tree(scratch: Path, packages: Sequence[str]) -> dict[str, int | str | tuple[bytes, int]]:
    """Return the contents of packages by path: a directory's mode, a link's target, a file."""
    root = scratch / "root"
    root.mkdir(parents=True)
    for package in apt.download_all(sorted(packages), scratch) if packages else ():
        subprocess.run(["dpkg-deb", "--extract", package, root], check=True)
    found: dict[str, int | str | tuple[bytes, int]] = {}
    for path in sorted(root.rglob("*")):
        place = _merged(path.relative_to(root))
        if place.startswith(_UNWANTED) or place in _MERGED:
            continue
        mode = path.lstat().st_mode & 0o7777
        if path.is_symlink():
            found[place] = str(path.readlink())
        else:
            found[place] = mode if path.is_dir() else (path.read_bytes(), mode)
    return found


def _is_library(place: Path) -> bool:
    # Not what programs load by themselves: those lie in folders of their own.
    return ".so" in place.suffixes and str(place.parent).count("/") <= _LIBRARY_DEPTH


def _merged(place: Path) -> str:
    return str(Path("usr", place) if place.parts[0] in _MERGED else place)
