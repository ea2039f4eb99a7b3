# SPDX-License-Identifier: Apache-2.0
"""Directory made of a stream, with the owners of the receiving host."""

import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket

from novadocker.virt.docker.files.entry import EXTENT, LENGTH, RECORD_BYTES, Entry, Kind
from novadocker.virt.docker.files.fault import Fault
from novadocker.virt.docker.files.owners import Owners
from novadocker.virt.docker.files.pack import OPEN_DIRECTORY, moved

_BLOCK = 1024 * 1024
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


class Incoming:
    """Bytes of a socket, in the sizes that a reader asks for.

    Args:
        source: sends them.
    """

    def __init__(self, source: socket) -> None:
        self._source = source
        self._block = bytearray(_BLOCK)
        self._held = memoryview(b"")

    def exactly(self, size: int) -> bytes:
        """Return so many bytes.

        Args:
            size: how many.

        Returns:
            The bytes.

        Raises:
            Fault: the stream ends before.
        """
        kept = bytearray()
        while len(kept) < size:
            kept += self.some(size - len(kept))
        return bytes(kept)

    def some(self, most: int) -> memoryview:
        """Return bytes that are there, or wait for some; valid until the next call.

        Args:
            most: how many at the most.

        Returns:
            At least one byte.

        Raises:
            Fault: the stream ends.
        """
        if not self._held:
            count = self._source.recv_into(self._block)
            if not count:
                raise Fault("the stream of files ended too early")
            self._held = memoryview(self._block)[:count]
        given, self._held = self._held[:most], self._held[most:]
        return given


@dataclass
class Unpacker:
    """Unpacks one stream into a directory.

    Attributes:
        incoming: the stream.
        owners: translation of users.
    """

    incoming: Incoming
    owners: Owners = field(default_factory=Owners)
    _records: int = 0
    _within: list[Entry] = field(default_factory=list)
    _linked: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def unpack(self, root: str) -> int:
        """Fill a directory, whose former content is removed first.

        Args:
            root: path of the directory, which exists.

        Returns:
            The number of records.

        Raises:
            Fault: the stream is not whole, or not what it should be.
            OSError: the directory cannot hold it.
        """
        self._begin(Path(root))
        top = self._next()
        if top.kind is not Kind.DIRECTORY or top.name:
            raise Fault("the stream of files does not begin with a directory")
        directory = os.open(root, OPEN_DIRECTORY)
        self._within.append(top)
        try:
            while self._within:
                directory = self._take(root, directory, self._next())
        finally:
            os.close(directory)
        count, end = self._records, self._next()
        if end.kind is not Kind.END or end.size != count:
            raise Fault("the stream of files ends in the wrong place")
        return count

    def _begin(self, root: Path) -> None:
        _empty(root)

    def _next(self) -> Entry:
        (size,) = LENGTH.unpack(self.incoming.exactly(LENGTH.size))
        if size > RECORD_BYTES:
            raise Fault(f"a record of {size} bytes is more than {RECORD_BYTES}")
        entry = Entry.decode(self.incoming.exactly(size))
        self._records += 1
        return self.owners.translate(entry)

    def _take(self, root: str, directory: int, entry: Entry) -> int:
        if entry.kind is Kind.LEAVE:
            return self._leave(directory)
        if not entry.name:
            raise Fault(f"a {entry.kind} has no name")
        if entry.kind is Kind.DIRECTORY:
            # Open for us alone until all of it is there: its access list would else be
            # inherited by what is made in it, and its time changed.
            os.mkdir(entry.name, 0o700, dir_fd=directory)
            self._within.append(entry)
            return moved(directory, entry.name)
        makers: dict[Kind, Callable[[int, Entry], None]] = {
            Kind.FILE: self._file,
            Kind.SYMLINK: lambda where, it: os.symlink(it.target, it.name, dir_fd=where),
            Kind.NODE: lambda where, it: os.mknod(it.name, it.mode, it.device, dir_fd=where),
        }
        if entry.kind is Kind.LINK:
            self._link(root, directory, entry)
        elif entry.kind in makers:
            makers[entry.kind](directory, entry)
            _describe(f"/proc/self/fd/{directory}/{entry.name}", entry)
            self._note(entry)
        else:
            raise Fault(f"a directory has a member of the kind {entry.kind}")
        return directory

    def _leave(self, directory: int) -> int:
        entry = self._within.pop()
        _describe(f"/proc/self/fd/{directory}/.", entry)
        return moved(directory, "..") if self._within else directory

    def _file(self, directory: int, entry: Entry) -> None:
        file = os.open(entry.name, _NEW_FILE, 0o600, dir_fd=directory)
        try:
            offset, length = self._extent()
            while length:
                if offset + length > entry.size:
                    raise Fault(f"{entry.name!r} is longer than it says")
                self._content(file, offset, length)
                offset, length = self._extent()
            os.ftruncate(file, entry.size)
        finally:
            os.close(file)

    def _extent(self) -> tuple[int, int]:
        offset, length = EXTENT.unpack(self.incoming.exactly(EXTENT.size))
        return offset, length

    def _content(self, file: int, offset: int, length: int) -> None:
        end = offset + length
        while offset < end:
            piece = self.incoming.some(end - offset)
            while piece:
                written = os.pwrite(file, piece, offset)
                offset, piece = offset + written, piece[written:]

    def _note(self, entry: Entry) -> None:
        if entry.inode:
            names = tuple(each.name for each in self._within[1:])
            self._linked[entry.inode] = (*names, entry.name)

    def _link(self, root: str, directory: int, entry: Entry) -> None:
        if entry.inode not in self._linked:
            raise Fault(f"{entry.name!r} is a link to what did not come")
        *parents, name = self._linked[entry.inode]
        # Component by component: a path may be longer than one call takes.
        there = os.open(root, OPEN_DIRECTORY)
        try:
            for parent in parents:
                there = moved(there, parent)
            os.link(name, entry.name, src_dir_fd=there, dst_dir_fd=directory, follow_symlinks=False)
        finally:
            os.close(there)


def _describe(path: str, entry: Entry) -> None:
    # In this order: a change of owner takes away set-user-id bits and capabilities, one of the
    # mode changes the mask of an access list, and each of them the time of change.
    os.chown(path, entry.uid, entry.gid, follow_symlinks=False)
    if entry.kind is not Kind.SYMLINK:
        Path(path).chmod(stat.S_IMODE(entry.mode))
    for name, value in entry.attributes.items():
        os.setxattr(path, name, value, follow_symlinks=False)
    os.utime(path, ns=(entry.mtime, entry.mtime), follow_symlinks=False)


def _empty(root: Path) -> None:
    for each in root.iterdir():
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        else:
            each.unlink()
