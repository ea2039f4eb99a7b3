# SPDX-License-Identifier: Apache-2.0
"""A directory made a stream, as its files are on the disk.

Nothing else may write to it meanwhile: the directory is of a container that does not run.
"""

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from socket import socket

from novadocker.virt.docker.files.entry import EXTENT, NO_EXTENT, Entry, Kind
from novadocker.virt.docker.files.fault import Fault
from novadocker.virt.docker.files.owners import ACCESS_LISTS, CAPABILITY

# Of "trusted.overlay." the rest describes the source's own disk: file handles and inode numbers
# of the layer below, which the kernel makes anew or does without.
OVERLAY = frozenset(
    f"trusted.overlay.{name}" for name in ("opaque", "redirect", "metacopy", "protattr")
)
# Labels of SELinux are the host's to give.
CARRIED = OVERLAY | ACCESS_LISTS | {CAPABILITY}
OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_LARGEST_SEND = 1 << 30


class Packer:
    """Packs one directory into a socket.

    Args:
        out: gets the records.
    """

    def __init__(self, out: socket) -> None:
        self._out = out
        self._records = 0
        self._linked: dict[tuple[int, int], int] = {}

    def pack(self, root: str) -> int:
        """Send all of a directory, and the end.

        Args:
            root: path of the directory.

        Returns:
            The number of records.

        Raises:
            Fault: a file could not be read as its metadata promised.
            OSError: the directory or the socket failed.
        """
        directory = os.open(root, OPEN_DIRECTORY)
        try:
            directory = self._walk(directory)
        finally:
            os.close(directory)
        count = self._records
        self._send(Entry(Kind.END, size=count))
        return count

    def _walk(self, directory: int) -> int:
        # Down by name and up by "..", so that the depth of a tenant's tree, which is not
        # bounded, costs neither descriptors nor stack. Nobody moves its directories meanwhile.
        self._send(described(Kind.DIRECTORY, directory, "."))
        pending = [names(directory)]
        while pending:
            name = next(pending[-1], None)
            if name is None:
                self._send(Entry(Kind.LEAVE))
                pending.pop()
                if pending:
                    directory = moved(directory, "..")
            elif self._enters(directory, name):
                directory = moved(directory, name)
                pending.append(names(directory))
        return directory

    def _enters(self, directory: int, name: str) -> bool:
        found = os.stat(name, dir_fd=directory, follow_symlinks=False)
        if stat.S_ISDIR(found.st_mode):
            self._send(described(Kind.DIRECTORY, directory, name))
            return True
        inode = self._inode(found)
        if inode and inode != self._records:
            self._send(Entry(Kind.LINK, name, inode=inode))
        elif stat.S_ISREG(found.st_mode):
            self._file(directory, name, inode)
        elif stat.S_ISLNK(found.st_mode):
            link = described(Kind.SYMLINK, directory, name)
            self._send(replace(link, target=os.readlink(name, dir_fd=directory), inode=inode))
        else:
            node = described(Kind.NODE, directory, name)
            self._send(replace(node, device=found.st_rdev, inode=inode))
        return False

    def _inode(self, found: os.stat_result) -> int:
        # The number is that of the record which first names the file.
        if found.st_nlink == 1:
            return 0
        return self._linked.setdefault((found.st_dev, found.st_ino), self._records)

    def _file(self, directory: int, name: str, inode: int) -> None:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=directory)
        try:
            size = os.fstat(file).st_size
            entry = described(Kind.FILE, directory, name)
            self._send(replace(entry, size=size, inode=inode))
            for offset, length in self._extents(file, size):
                self._out.sendall(EXTENT.pack(offset, length))
                self._content(file, offset, length)
            self._out.sendall(NO_EXTENT)
        finally:
            os.close(file)

    def _extents(self, file: int, size: int) -> Iterator[tuple[int, int]]:
        return _extents(file, size)

    def _content(self, file: int, offset: int, length: int) -> None:
        end = offset + length
        while offset < end:
            sent = os.sendfile(self._out.fileno(), file, offset, min(end - offset, _LARGEST_SEND))
            if not sent:
                raise Fault("a file became shorter while it was read")
            offset += sent

    def _send(self, entry: Entry) -> None:
        self._out.sendall(entry.encode())
        self._records += 1


def moved(directory: int, name: str) -> int:
    """Let a descriptor be of another directory, beside or below the present one.

    Args:
        directory: descriptor of a directory, whose number stays.
        name: one component of a path.

    Returns:
        The descriptor.
    """
    inner = os.open(name, OPEN_DIRECTORY, dir_fd=directory)
    os.dup2(inner, directory, inheritable=False)  # whoever has opened it closes it, after a fault
    os.close(inner)
    return directory


def names(directory: int) -> Iterator[str]:
    """Return the names in a directory, sorted.

    Args:
        directory: descriptor of the directory.
    """
    with os.scandir(directory) as found:
        return iter(sorted(each.name for each in found))


def described(kind: Kind, directory: int, name: str) -> Entry:
    """Return the record of a file, without content, target and device.

    Args:
        kind: sort of record.
        directory: descriptor of the directory of the file.
        name: one component of a path; "." for the directory itself.
    """
    found = os.stat(name, dir_fd=directory, follow_symlinks=False)
    return Entry(
        kind=kind,
        name="" if name == "." else name,
        mode=found.st_mode,
        uid=found.st_uid,
        gid=found.st_gid,
        mtime=found.st_mtime_ns,
        # There is no call by a directory's descriptor and a name, and opening a FIFO would wait.
        attributes=_attributes(f"/proc/self/fd/{directory}/{name}"),
    )


def _attributes(path: str) -> dict[str, bytes]:
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            return {}
        raise
    carried = (name for name in names if name in CARRIED or name.startswith("user."))
    return {name: os.getxattr(path, name, follow_symlinks=False) for name in carried}


def _extents(file: int, size: int) -> Iterator[tuple[int, int]]:
    offset = 0
    while offset < size:
        try:
            start = os.lseek(file, offset, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:  # nothing but a hole up to the end
                return
            raise
        offset = min(os.lseek(file, start, os.SEEK_HOLE), size)
        yield start, offset - start
