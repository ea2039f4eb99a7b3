# SPDX-License-Identifier: Apache-2.0

import os
import resource
import socket
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from novadocker.virt.docker.files.entry import Entry, Kind
from novadocker.virt.docker.files.fault import Fault
from novadocker.virt.docker.files.pack import Packer
from novadocker.virt.docker.files.unpack import Incoming, Unpacker

MEMBER = Entry(Kind.DIRECTORY, mode=0o40755, uid=os.getuid(), gid=os.getgid())


def _copied(source: Path, destination: Path) -> int:
    near, far = socket.socketpair()

    def pack() -> None:
        with near:
            Packer(near).pack(str(source))

    packing = threading.Thread(target=pack)
    packing.start()
    with far:
        count = Unpacker(Incoming(far)).unpack(str(destination))
    packing.join()
    return count


def _fed(destination: Path, *pieces: bytes) -> None:
    near, far = socket.socketpair()
    with near, far:
        near.sendall(b"".join(pieces))
        near.shutdown(socket.SHUT_WR)
        Unpacker(Incoming(far)).unpack(str(destination))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A directory to pack."""
    made = tmp_path / "source"
    made.mkdir()
    return made


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    """A directory to unpack into, with something in it."""
    made = tmp_path / "destination"
    (made / "old/inner").mkdir(parents=True)
    (made / "old/inner/file").write_text("old")
    return made


def test_files_survive(source: Path, destination: Path) -> None:
    """Contents, modes, times to the nanosecond and strange names survive; old files go."""
    file = source / ".wh.x"
    file.write_bytes(b"content")
    file.chmod(0o4711)
    os.utime(file, ns=(5, 1_700_000_000_123_456_789))
    assert _copied(source, destination) == 3
    assert [each.name for each in destination.iterdir()] == [".wh.x"]
    found = (destination / ".wh.x").stat()
    assert (destination / ".wh.x").read_bytes() == b"content"
    assert stat.S_IMODE(found.st_mode) == 0o4711
    assert found.st_mtime_ns == 1_700_000_000_123_456_789


def test_directories_survive(source: Path, destination: Path) -> None:
    """Modes and times of directories survive, of one that nobody may enter too."""
    (source / "a/closed").mkdir(parents=True)
    (source / "a/closed").chmod(0o300)
    os.utime(source / "a", ns=(5, 7_000_000_007))
    _copied(source, destination)
    (source / "a/closed").chmod(0o700)
    found = (destination / "a/closed").stat()
    (destination / "a/closed").chmod(0o700)
    assert stat.S_IMODE(found.st_mode) == 0o300
    assert (destination / "a").stat().st_mtime_ns == 7_000_000_007


def test_holes_survive(source: Path, destination: Path) -> None:
    """A file of a gigabyte that is nearly all hole stays small, and its end is where it was."""
    with (source / "sparse").open("wb") as file:
        file.seek(512 * 1024 * 1024)
        file.write(b"middle")
        file.truncate(1024 * 1024 * 1024)
    _copied(source, destination)
    found = (destination / "sparse").stat()
    assert found.st_size == 1024 * 1024 * 1024
    assert found.st_blocks * 512 < 1024 * 1024
    with (destination / "sparse").open("rb") as file:
        file.seek(512 * 1024 * 1024)
        assert file.read(7) == b"middle\0"


def test_hard_links_survive(source: Path, destination: Path) -> None:
    """Names of one file stay names of one file, in other directories too."""
    (source / "b").mkdir()
    (source / "z").write_text("one")
    os.link(source / "z", source / "b/inner")
    _copied(source, destination)
    assert (destination / "z").samefile(destination / "b/inner")


def test_special_files_survive(source: Path, destination: Path) -> None:
    """Symbolic links, FIFOs and sockets survive, those that point to nowhere too."""
    (source / "link").symlink_to("/nowhere/../at all")
    os.mkfifo(source / "fifo", 0o622)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(source / "socket"))
        _copied(source, destination)
    assert str((destination / "link").readlink()) == "/nowhere/../at all"
    assert (destination / "fifo").is_fifo()
    assert (destination / "socket").is_socket()


@pytest.fixture
def _few_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("_few_descriptors")
def test_deep_tree_survives(source: Path, destination: Path) -> None:
    """A tree that is deeper than there are descriptors is packed with few of them."""
    depth = 300
    here = os.open(source, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("deep", dir_fd=here)
        inner = os.open("deep", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    assert _copied(source, destination) == 2 * depth + 2
    # Deeper than pytest's own removal goes with so few.
    subprocess.run(["rm", "-r", source / "deep", destination / "deep"], check=True)


@pytest.mark.parametrize("cut", [0, 3, 10, -1, -60])
def test_cut_stream_is_a_fault(destination: Path, cut: int) -> None:
    """A stream that ends before its end is refused wherever it was cut."""
    file = Entry(Kind.FILE, "x", mode=0o100600, uid=os.getuid(), gid=os.getgid(), size=4)
    whole = b"".join(
        (
            MEMBER.encode(),
            file.encode(),
            (0).to_bytes(8, "big") + (4).to_bytes(8, "big") + b"data" + bytes(16),
            Entry(Kind.LEAVE).encode(),
            Entry(Kind.END, size=3).encode(),
        )
    )
    with pytest.raises(Fault, match="ended too early"):
        _fed(destination, whole[:cut])


def test_file_longer_than_said_is_a_fault(destination: Path) -> None:
    """An extent beyond the size of its file is refused."""
    file = Entry(Kind.FILE, "x", mode=0o100600, size=4)
    extent = (2).to_bytes(8, "big") + (4).to_bytes(8, "big") + b"data"
    with pytest.raises(Fault, match="longer"):
        _fed(destination, MEMBER.encode(), file.encode(), extent)


def test_link_to_nothing_is_a_fault(destination: Path) -> None:
    """A link to a file that did not come is refused."""
    with pytest.raises(Fault, match="did not come"):
        _fed(destination, MEMBER.encode(), Entry(Kind.LINK, "x", inode=7).encode())


def test_wrong_count_is_a_fault(destination: Path) -> None:
    """A stream whose end counts other records than came is refused."""
    stream = MEMBER.encode() + Entry(Kind.LEAVE).encode() + Entry(Kind.END, size=9).encode()
    with pytest.raises(Fault, match="wrong place"):
        _fed(destination, stream)
