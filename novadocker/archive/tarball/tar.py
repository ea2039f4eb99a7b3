# SPDX-License-Identifier: Apache-2.0
"""The tar format, as much of it as saved images use.

Python's ``tarfile`` takes a missing end for the end, reads extended headers of any size into
memory and looks past damaged headers; an archive that a stranger made is read here instead.
"""

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from novadocker.archive.bounds import Bounds, KiB
from novadocker.archive.fault import Fault, quoted
from novadocker.archive.image.mistakes import by_beginning
from novadocker.archive.tarball.header import (
    BLOCK,
    ZEROS,
    is_header,
    link_of,
    name_of,
    padding,
)
from novadocker.archive.tarball.numbers import number
from novadocker.archive.tarball.overrides import EXTENSIONS, Overrides
from novadocker.archive.tarball.positioned import Positioned

_TRAILER = 64 * KiB


class Kind(enum.Enum):
    """Kinds of members; nothing else has a place in a saved image."""

    FILE = enum.auto()
    DIRECTORY = enum.auto()
    SYMLINK = enum.auto()


_KINDS = {
    b"0": Kind.FILE,
    b"\x00": Kind.FILE,
    b"5": Kind.DIRECTORY,
    b"2": Kind.SYMLINK,
}
_REFUSED = {
    b"1": "a hard link",
    b"3": "a character device",
    b"4": "a block device",
    b"6": "a FIFO",
    b"S": "a sparse file",
}


@dataclass(frozen=True)
class Member:
    """One entry of the archive.

    Attributes:
        path: relative and normal: no empty, ``.`` or ``..`` part. The archive's own root
            is the empty path.
        kind: type of the member.
        size: bytes of a file's content, else 0.
        target: where a symbolic link points, as it is written.
        offset: where its content begins in the archive.
    """

    path: str
    kind: Kind
    size: int
    target: str
    offset: int = 0


class Reader:
    """The members of an archive, one after the other.

    Args:
        source: the archive, uncompressed.
        bounds: counts and lengths that it may not pass.
    """

    def __init__(self, source: Positioned, bounds: Bounds) -> None:
        self._source = source
        self._bounds = bounds
        self._seen: set[str] = set()
        self._count = 0

    def members(self) -> Iterator[Member]:
        """Give each member; its content must be taken before the next is asked for.

        Yields:
            The members, up to an end that is marked as the format demands.
        """
        overrides = Overrides()
        while (block := self._header()) is not None:
            flag, size = block[156:157], number(block[124:136])
            if size < 0:
                raise Fault(f"a member has the impossible size {size}")
            if flag in EXTENSIONS:
                overrides.add(flag, self._record(size))
                continue
            member = self._member(block, flag, size, overrides)
            overrides = Overrides()
            yield member
        self._expect_nothing_more()

    def content(self, member: Member) -> Iterator[bytes]:
        """Give a file's bytes.

        Args:
            member: the one that ``members`` gave last.

        Yields:
            Non-empty pieces.
        """
        left = member.size
        for piece in self._source.pieces(member.size):
            left -= len(piece)
            yield piece
        if left or len(self._source.read(padding(member.size))) != padding(member.size):
            raise Fault(f"it is cut off in the middle of member {quoted(member.path)}")

    def _header(self) -> bytes | None:
        block = self._source.read(BLOCK)
        if block == ZEROS:
            if self._source.read(BLOCK) != ZEROS:
                raise Fault(
                    "it is cut off, or damaged, at its end: one of two zero blocks is there"
                )
            return None
        if not self._count and not is_header(block) and (known := by_beginning(block)):
            raise Fault(f"it is not a tar archive: {known}")
        if len(block) < BLOCK:
            raise Fault(self._cut_off(len(block)))
        if not is_header(block):
            where = f"after {self._count} members" if self._count else "at its start"
            raise Fault(f"it is not a tar archive: there is no sound header {where}")
        self._count += 1
        if self._count > self._bounds.members:
            raise Fault(f"it has more than {self._bounds.members} members")
        return block

    def _cut_off(self, read: int) -> str:
        if self._count:
            return f"it is cut off after {self._count} members, without the end of a tar archive"
        return f"it is cut off in its first header ({read} bytes)" if read else "it is empty"

    def _record(self, size: int) -> bytes:
        if size > self._bounds.extended_header:
            raise Fault(
                f"an extended header has {size} bytes, more than {self._bounds.extended_header}"
            )
        record = self._source.read(size + padding(size))
        if len(record) != size + padding(size):
            raise Fault("it is cut off in an extended header")
        return record[:size]

    def _member(self, block: bytes, flag: bytes, size: int, overrides: Overrides) -> Member:
        name = name_of(block) if overrides.name is None else overrides.name
        link = link_of(block) if overrides.link is None else overrides.link
        size = size if overrides.size is None else overrides.size
        kind = _kind(flag, name)
        path = normal_path(self._decoded(name))
        if kind is not Kind.FILE and size:
            raise Fault(f"member {quoted(name)} is not a file and yet has {size} bytes of content")
        if kind is not Kind.DIRECTORY:
            self._expect_new(path, name)
        target = self._decoded(link) if kind is Kind.SYMLINK else ""
        return Member(path, kind, size, target, self._source.position)

    def _decoded(self, name: bytes) -> str:
        if len(name) > self._bounds.name:
            raise Fault(f"the name {quoted(name)} is longer than {self._bounds.name} bytes")
        if b"\x00" in name:
            raise Fault(f"the name {quoted(name)} has a zero byte in it")
        try:
            return name.decode()
        except UnicodeDecodeError as error:
            raise Fault(f"the name {quoted(name)} is not UTF-8") from error

    def _expect_new(self, path: str, name: bytes) -> None:
        if not path:
            raise Fault(f"member {quoted(name)} has the name of a directory and is none")
        if path in self._seen:
            raise Fault(f"member {quoted(path)} comes twice")
        self._seen.add(path)

    def _expect_nothing_more(self) -> None:
        # To the very end: where the bytes come from may have its own check after the last.
        while piece := self._source.read(_TRAILER):
            if piece.strip(b"\x00"):
                raise Fault("there are bytes after the end of the tar archive")


def normal_path(path: str) -> str:
    """Return a member's path without empty and ``.`` parts.

    Args:
        path: as an archive has it.

    Returns:
        The path; empty for the archive's own root.
    """
    if not path:
        raise Fault("a member has an empty name")
    if path.startswith("/"):
        raise Fault(f"member {quoted(path)} has an absolute name")
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if ".." in parts:
        raise Fault(f"member {quoted(path)} has '..' in its name")
    return "/".join(parts)


def _kind(flag: bytes, name: bytes) -> Kind:
    kind = _KINDS.get(flag)
    if kind is None:
        what = _REFUSED.get(flag, f"of the unknown type {quoted(flag)}")
        raise Fault(
            f"member {quoted(name)} is {what}; only files, directories and symbolic links "
            "belong in a saved image"
        )
    # Before there was a type for directories, a slash at the end was their mark.
    return Kind.DIRECTORY if flag == b"\x00" and name.endswith(b"/") else kind
