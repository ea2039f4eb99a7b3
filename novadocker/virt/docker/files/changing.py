# SPDX-License-Identifier: Apache-2.0
"""Directory of a running container, read while it changes, and once more what has changed.

A file counts as changed if its change time is not older than the begin of the first reading.
The kernel sets that time at each write and rename, and for a mapped page at the first write
after the page was written back: hence the file system is synchronized before.
"""

import ctypes
import errno
import os
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from socket import socket

from novadocker.virt.docker.files.entry import Entry, Kind
from novadocker.virt.docker.files.fault import Fault
from novadocker.virt.docker.files.pack import OPEN_DIRECTORY, Packer, described, moved, names

# The kernel's clock of change times lags behind the precise one by one tick.
_TICK_NS = 50_000_000
_KEPT_AT_ONCE = 500
_VANISHED = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO)
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Survey:
    """Result of a first reading.

    Attributes:
        since: files that changed at or after this time are read again; nanoseconds.
        directories: inode of each directory by its path.
    """

    since: int = 0
    directories: Mapping[str, int] = field(default_factory=dict)


class ChangingPacker(Packer):
    """Packs a directory that others write to; a file may come torn, and comes again later.

    Args:
        out: gets the records.
    """

    def __init__(self, out: socket) -> None:
        super().__init__(out)
        self._directories: dict[str, int] = {}

    def survey(self, root: str) -> Survey:
        """Send all of a directory, and the end.

        Args:
            root: path of the directory.

        Returns:
            Basis of a later ``RestPacker``.

        Raises:
            Fault: directories were moved meanwhile; another try may succeed.
            OSError: the directory or the socket failed.
        """
        since = time.time_ns() - _TICK_NS
        _synchronize(root)
        self.pack(root)
        return Survey(since, self._directories)

    def _walk(self, directory: int) -> int:
        self._send(described(Kind.DIRECTORY, directory, "."))
        path: list[str] = []
        places = [_place(directory)]
        pending = [names(directory)]
        while pending:
            name = next(pending[-1], None)
            if name is None:
                self._send(Entry(Kind.LEAVE))
                pending.pop()
                places.pop()
                if pending:
                    path.pop()
                    directory = moved(directory, "..")
                    if _place(directory) != places[-1]:
                        raise Fault("directories were moved while they were read")
            elif self._entered(directory, name):
                path.append(name)
                self._send(replace(described(Kind.DIRECTORY, directory, "."), name=name))
                places.append(_place(directory))
                self._directories["/".join(path)] = places[-1][1]
                pending.append(names(directory))
        return directory

    def _entered(self, directory: int, name: str) -> bool:
        # A member that has gone since the listing is passed over; it is known to have changed.
        sent = self._records
        try:
            found = os.stat(name, dir_fd=directory, follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode):
                moved(directory, name)
                return True
            if self._enters(directory, name):
                raise Fault("a file became a directory while it was read")
        except OSError as error:
            if error.errno not in _VANISHED or self._records != sent:
                raise
            self._forget(sent)
        return False

    def _forget(self, record: int) -> None:
        self._linked = {place: first for place, first in self._linked.items() if first != record}

    def _extents(self, file: int, size: int) -> Iterator[tuple[int, int]]:
        offset = 0
        while offset < size:
            try:
                start = os.lseek(file, offset, os.SEEK_DATA)
                offset = min(os.lseek(file, start, os.SEEK_HOLE), size)
            except OSError as error:
                if error.errno == errno.ENXIO:
                    return
                raise
            if start >= offset:
                return
            yield start, offset - start

    def _content(self, file: int, offset: int, length: int) -> None:
        end = offset + length
        while offset < end:
            sent = os.sendfile(self._out.fileno(), file, offset, min(end - offset, 1 << 30))
            if not sent:  # cut off meanwhile; the record has promised so many bytes
                self._out.sendall(bytes(end - offset))
                return
            offset += sent


class RestPacker(Packer):
    """Packs what has changed in a directory since its survey; nobody writes to it now.

    Args:
        out: gets the records.
        survey: result of the first reading.
    """

    def __init__(self, out: socket, survey: Survey) -> None:
        super().__init__(out)
        self._survey = survey

    def _walk(self, directory: int) -> int:
        top = bool(self._survey.since)
        self._send(replace(described(Kind.DIRECTORY, directory, "."), known=top))
        path: list[str] = []
        pending = [self._changed(directory, known=top)]
        while pending:
            name = next(pending[-1], None)
            if name is None:
                self._send(Entry(Kind.LEAVE))
                pending.pop()
                if pending:
                    path.pop()
                    directory = moved(directory, "..")
                continue
            found = os.stat(name, dir_fd=directory, follow_symlinks=False)
            if not stat.S_ISDIR(found.st_mode):
                self._enters(directory, name)
                continue
            path.append(name)
            known = self._survey.directories.get("/".join(path)) == found.st_ino
            self._send(replace(described(Kind.DIRECTORY, directory, name), known=known))
            directory = moved(directory, name)
            pending.append(self._changed(directory, known=known))
        return directory

    def _changed(self, directory: int, *, known: bool) -> Iterator[str]:
        # Names of what has changed, after the rest is said to be kept.
        kept: list[str] = []
        changed: list[str] = []
        for name in names(directory):
            found = os.stat(name, dir_fd=directory, follow_symlinks=False)
            same = known and found.st_ctime_ns < self._survey.since
            (kept if same and not stat.S_ISDIR(found.st_mode) else changed).append(name)
        for start in range(0, len(kept), _KEPT_AT_ONCE):
            self._send(Entry(Kind.KEEP, names=kept[start : start + _KEPT_AT_ONCE]))
        return iter(changed)


def _place(directory: int) -> tuple[int, int]:
    found = os.fstat(directory)
    return found.st_dev, found.st_ino


def _synchronize(root: str) -> None:
    directory = os.open(root, OPEN_DIRECTORY)
    try:
        if _LIBC.syncfs(directory):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(directory)
