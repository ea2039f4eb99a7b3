# SPDX-License-Identifier: Apache-2.0

import struct

import pytest

from novadocker.virt.docker.files.entry import Entry, Kind
from novadocker.virt.docker.files.owners import Owners, Root

HERE, THERE = Root(100000, 200000), Root(300000, 400000)
OWNERS = Owners(HERE, THERE)


@pytest.mark.parametrize(
    ("path", "root"),
    [
        ("/var/lib/docker/100000.200000", HERE),
        ("/var/lib/docker", Root()),
        ("/var/lib/docker.old", Root()),
        ("/srv/1.x", Root()),
    ],
)
def test_root_is_read_from_the_engines_directory(path: str, root: Root) -> None:
    """An engine that maps users names their root in the path of its data."""
    assert Root.of(path) == root


def test_owner_and_group_move() -> None:
    """Owner and group move by the distance of the two roots, each by its own."""
    moved = OWNERS.translate(Entry(Kind.FILE, "x", uid=101000, gid=200007))
    assert (moved.uid, moved.gid) == (301000, 400007)


def test_owner_of_the_host_stays() -> None:
    """An owner that no container has stays the same number."""
    moved = OWNERS.translate(Entry(Kind.FILE, "x", uid=0, gid=99999))
    assert (moved.uid, moved.gid) == (0, 99999)


def test_access_list_moves() -> None:
    """Named users and groups of an access list move, and its other entries do not."""
    entries = [(1, 7, 0xFFFFFFFF), (2, 6, 101000), (8, 4, 200005), (0x20, 5, 0xFFFFFFFF)]
    value = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *each) for each in entries)
    entry = Entry(Kind.FILE, "x", attributes={"system.posix_acl_access": value})
    moved = OWNERS.translate(entry).attributes["system.posix_acl_access"]
    found = list(struct.iter_unpack("<HHI", moved[4:]))
    assert found == [entries[0], (2, 6, 301000), (8, 4, 400005), entries[3]]


def test_capability_moves() -> None:
    """The root for whose namespace a capability holds moves; older revisions name none."""
    new = struct.pack("<6I", 0x03000001, 1024, 0, 0, 0, 100000)
    old = struct.pack("<5I", 0x02000001, 1024, 0, 0, 0)
    entry = Entry(Kind.FILE, "x", attributes={"security.capability": new})
    moved = OWNERS.translate(entry).attributes["security.capability"]
    assert moved == new[:-4] + struct.pack("<I", 300000)
    entry = Entry(Kind.FILE, "x", attributes={"security.capability": old})
    assert OWNERS.translate(entry) == entry


def test_equal_hosts_change_nothing() -> None:
    """Between hosts with equal users a record stays the very same."""
    entry = Entry(Kind.FILE, "x", uid=101000)
    assert Owners(HERE, HERE).translate(entry) is entry
