# SPDX-License-Identifier: Apache-2.0
"""Writable layers that move between containers of a real engine, as they are on the disk."""

import os
import stat
import struct
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from novadocker.errors import TransferFailed
from novadocker.virt.docker.files import directories
from novadocker.virt.docker.files.owners import Owners, Root
from tests.engine.migration.box import Box

WRITTEN = """
ln -s busybox /bin/touch; ln -s busybox /bin/mkfifo
rm /home/app; touch /home/.wh.app
echo x > /opt/x/.wh.9
mkdir -p /opt/.wh..wh..opq
rm -r /srv/web; mkdir /srv/web; echo new > /srv/web/other
echo one > /a; ln /a /b; mkdir -p /deep/er; ln /a /deep/er/c
mkfifo -m 622 /fifo; mkdir -m 1777 /sticky; touch /suid; chmod 6755 /suid
mkdir -m 0 /closed; echo secret > /closed/s; chown 1000:1001 /a /closed
ln -s /nowhere /dangling
dd if=/dev/zero of=/sparse bs=1 count=1 seek=314572799 2>/dev/null
touch -d '2001-02-03 04:05:06' /old
"""
ACL = "system.posix_acl_access"
CAPABILITY = "security.capability"


@dataclass(frozen=True)
class Seen:
    """All that a file of a container is to keep."""

    mode: int
    owner: tuple[int, int]
    size: int
    modified: int
    links: int
    small: bool
    target: str
    attributes: dict[str, bytes]
    content: bytes


def _seen(path: Path) -> Seen:
    found = path.lstat()
    regular = stat.S_ISREG(found.st_mode)
    directory = stat.S_ISDIR(found.st_mode)
    names = os.listxattr(path, follow_symlinks=False)
    return Seen(
        mode=found.st_mode,
        owner=(found.st_uid, found.st_gid),
        size=0 if directory else found.st_size,
        modified=found.st_mtime_ns,
        links=0 if directory else found.st_nlink,
        small=found.st_blocks < 1024,
        target=str(path.readlink()) if path.is_symlink() else "",
        attributes={name: os.getxattr(path, name, follow_symlinks=False) for name in names},
        content=path.read_bytes() if regular and found.st_size < 4096 else b"",
    )


def _all(root: Path) -> dict[str, Seen]:
    found = {}
    for place, folders, names in os.walk(root):
        for name in (*folders, *names):
            path = Path(place) / name
            relative = str(path.relative_to(root))
            if not relative.startswith((".dockerenv", "dev", "proc", "sys", "data", "etc", "run")):
                found[relative] = _seen(path)
    return found


def _mark(merged: Path, root: int) -> None:
    """Give files what no program of the image sets."""
    os.setxattr(merged / "a", "user.color", b"blue")
    entries = [(1, 6, 2**32 - 1), (2, 7, root + 1000), (4, 4, 2**32 - 1), (16, 7, 2**32 - 1)]
    entries.append((32, 0, 2**32 - 1))
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *each) for each in entries)
    os.setxattr(merged / "suid", ACL, acl)
    os.setxattr(merged / "suid", CAPABILITY, struct.pack("<6I", 0x03000001, 1024, 0, 0, 0, root))
    os.utime(merged / "old", ns=(1, 981_173_106_123_456_789))


def _written(box: Box) -> tuple[dict[str, Seen], int]:
    box.start()
    box.run(WRITTEN)
    merged = box.merged
    root = merged.stat().st_uid
    _mark(merged, root)
    files_of_box = _all(merged)
    box.stop()
    return files_of_box, root


@pytest.mark.parametrize("way", ["copy", "stream"])
def test_all_of_a_layer_survives(make_box: Callable[[], Box], way: str) -> None:
    """A container made of the same image and another one's layer has the very same files."""
    first, second = make_box(), make_box()
    before, _ = _written(first)
    assert before["home/.wh.app"]
    assert "home/app" not in before
    if way == "copy":
        directories.copy(first.writable, second.writable)
    else:
        pieces = directories.packed(first.writable)
        directories.fill(second.writable, pieces, Owners())
    second.start()
    after = _all(second.merged)
    second.stop()
    assert after == before
    assert after["sparse"].small
    assert after["a"].links == 3


def test_owners_move(make_box: Callable[[], Box]) -> None:
    """Owners, access lists and capabilities are those of the host that the layer is on."""
    first, second = make_box(), make_box()
    _, root = _written(first)
    owners = Owners(Root(root, root), Root(root + 70000, root + 70000))
    directories.fill(second.writable, directories.packed(first.writable), owners)
    file = second.writable / "suid"
    assert file.stat().st_uid == root + 70000
    assert struct.unpack("<6I", os.getxattr(file, CAPABILITY))[5] == root + 70000
    assert (root + 71000).to_bytes(4, "little") in os.getxattr(file, ACL)


def test_measure_counts_no_holes(make_box: Callable[[], Box]) -> None:
    """A layer of 300 MB that are holes is measured as what it takes."""
    box = make_box()
    _written(box)
    assert directories.measure(box.writable) < 1024 * 1024


def test_fault_of_the_other_end_is_told(make_box: Callable[[], Box], tmp_path: Path) -> None:
    """A directory that is not there, and one that cannot be written, are named."""
    box = make_box()
    with pytest.raises(TransferFailed, match="nowhere"):
        list(directories.packed(tmp_path / "nowhere"))
    pieces = directories.packed(box.writable)
    with closing(pieces), pytest.raises(TransferFailed, match="nowhere"):
        directories.fill(tmp_path / "nowhere", pieces, Owners())


def test_cut_stream_is_told(make_box: Callable[[], Box]) -> None:
    """A stream that stops in the middle never counts as a whole layer."""
    first, second = make_box(), make_box()
    _written(first)
    some = b"".join(directories.packed(first.writable))[:-100]
    with pytest.raises(TransferFailed, match="too early"):
        directories.fill(second.writable, [some], Owners())
