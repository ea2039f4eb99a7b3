# SPDX-License-Identifier: Apache-2.0
import io
import tarfile

import pytest

from novadocker.errors import PolicyRefused
from novadocker.virt.docker.container.accounts import Home
from novadocker.virt.docker.injection.files import (
    Entry,
    directory,
    key_entries,
    link,
    packed,
    personality,
)


def unpacked(archive: bytes) -> tuple[list[tarfile.TarInfo], dict[str, bytes]]:
    """Return members and file contents of an uncompressed archive."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as tar:
        members = tar.getmembers()
        contents = {each.name: tar.extractfile(each) for each in members if each.isreg()}
        return members, {name: found.read() for name, found in contents.items() if found}


def test_a_key_is_its_owners_alone() -> None:
    """Sshd refuses files that others may write; the archive names owner and modes."""
    made = key_entries(Home("home/web", 1000, 1001), " ssh-ed25519 AAAA me \n\n")
    (folder, key), contents = unpacked(packed(made))
    assert contents == {"home/web/.ssh/authorized_keys": b"ssh-ed25519 AAAA me\n"}
    assert (folder.name, folder.mode, folder.isdir()) == ("home/web/.ssh", 0o700, True)
    assert (key.name, key.mode) == ("home/web/.ssh/authorized_keys", 0o600)
    assert {(each.uid, each.gid) for each in (folder, key)} == {(1000, 1001)}


def test_links_and_directories_are_written_as_such() -> None:
    """In their order, and root's where nothing else is said."""
    (first, second), _ = unpacked(packed([directory("a"), link("a/b", "/dev/x")]))
    assert (first.isdir(), first.mode, first.uid) == (True, 0o755, 0)
    assert (second.issym(), second.linkname) == (True, "/dev/x")


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ("/etc/motd", "etc/motd"),
        ("etc/motd", "etc/motd"),
        ("//etc/./motd", "etc/motd"),
        ("/etc/hosts.allow", "etc/hosts.allow"),
        ("/device", "device"),
        ("/srv/ünder a name/…", "srv/ünder a name/…"),
        ("/a/..b/c..", "a/..b/c.."),
        (f"/{'x' * 255}", "x" * 255),
    ],
)
def test_a_tenants_file_is_put_below_the_root(asked: str, path: str) -> None:
    """A file is root's, readable for all, with unchanged bytes, whatever the path begins with."""
    assert personality([(asked, b"\0x")]) == (Entry(path, content=b"\0x", mode=0o644),)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("", "the path of a file"),
        ("/", "the path of a file"),
        ("/etc/", "the path of a file"),
        ("./.", "the path of a file"),
        ("/a/../etc/motd", r"without '\.\.'"),
        ("..", r"without '\.\.'"),
        ("/a\0b", "and NUL"),
        (f"/{'x' * 256}", "at most 255 bytes"),
        (f"/{'ü' * 128}", "at most 255 bytes"),
        ("/\ud800", "in UTF-8"),
        ("/dev/null", "outside of /dev"),
        ("dev/x", "outside of /dev"),
        ("/proc/1/x", "outside of /proc"),
        ("/sys/x", "outside of /sys"),
        ("/etc/hosts", "outside of /etc/hosts"),
        ("/etc/./hostname", "outside of /etc/hostname"),
        ("/etc/resolv.conf", "outside of /etc/resolv.conf"),
        ("/config-drive/openstack/x", "outside of /config-drive"),
        ("/var/lib/cloud/seed/config_drive/x", "outside of /var/lib/cloud/seed/config_drive"),
    ],
)
def test_a_path_that_no_container_can_have_is_refused(asked: str, why: str) -> None:
    """The message names the path and what would be accepted."""
    with pytest.raises(PolicyRefused, match=f"personality file = .* is refused.*{why}"):
        personality([("/fine", b""), (asked, b"")])
