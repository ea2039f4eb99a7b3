# SPDX-License-Identifier: Apache-2.0
"""The members of a layer, looked at while its content passes.

The engine unpacks a layer as root, in a chroot of the layer's own directory. What would lead
out of it without the chroot, what hides files of lower layers by other means than a whiteout,
and what two readers would unpack in two ways is refused. Names need not be UTF-8.
"""

from novadocker.archive.bounds import Bounds
from novadocker.archive.budget import Budget
from novadocker.archive.compression.magic import refuse_magic
from novadocker.archive.fault import Fault, quoted
from novadocker.archive.layers.tree import Tree
from novadocker.archive.tarball.header import (
    BLOCK,
    ZEROS,
    device_of,
    is_header,
    link_of,
    name_of,
    numbers_of,
    padding,
)
from novadocker.archive.tarball.numbers import number
from novadocker.archive.tarball.overrides import EXTENSIONS, PAX_GLOBAL, Overrides

_FILE, _OLD_FILE, _HARD_LINK, _SYMLINK = b"0", b"\x00", b"1", b"2"
_CHARACTERS, _DIRECTORY, _FIFO = b"3", b"5", b"6"
_FILES = frozenset({_FILE, _OLD_FILE})
_LINKS = frozenset({_HARD_LINK, _SYMLINK})
_STEPS_OF_RECORD = 2
_REFUSED = {b"4": "a block device", b"7": "a contiguous file", b"S": "a sparse file"}
# Those that every container has in its own /dev, and may therefore use: null, zero, full,
# random, urandom; tty, console, ptmx.
_DEVICES = {(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 1), (5, 2)}
_WHITEOUT = b".wh."
_OPAQUE = b".wh..wh..opq"
# What aufs kept for itself at a layer's root; engines lay out nothing that shows.
_OF_AUFS = {b".wh..wh.aufs": _FILE, b".wh..wh.orph": _DIRECTORY, b".wh..wh.plnk": _DIRECTORY}
_ODD_STARTS = frozenset({b"", b".", b"/"})


class Entries:
    """Reads the headers in a layer's content, and nothing between them.

    Args:
        what: the layer's name in messages.
        budget: allowance of the image.
        bounds: limits on lengths.
        tree: the layer's names.

    Attributes:
        count: members so far.
    """

    def __init__(self, what: str, budget: Budget, bounds: Bounds, tree: Tree | None = None) -> None:
        self.count = 0
        self._what = what
        self._budget = budget
        self._bounds = bounds
        self._shortest_bound = min(bounds.path, bounds.depth)
        # Those of the member before: nearly always those of the next one, too.
        self._owners = (0, 0)
        self._tree = tree or Tree(budget)
        self._overrides: Overrides | None = None
        self._record: bytes | None = None
        self._record_size = 0
        self._want = BLOCK
        self._begun = bytearray()
        self._skip = 0
        self._padding = 0
        self._started = False
        self._ended = False

    def feed(self, piece: bytes) -> None:
        """Take the next bytes of the content.

        Args:
            piece: the bytes, of any length.
        """
        try:
            self._feed(piece)
        except Fault as fault:
            raise Fault(f"{self._what}: {fault}") from fault

    def finish(self) -> None:
        """End the content, or refuse an end in the middle of a member.

        Engines need neither the zeros that fill the last member up nor those of the end.
        """
        if self._record is not None or self._overrides is not None:
            raise Fault(f"{self._what}: it ends with an extended header of no member")
        if self._skip > self._padding or self._begun:
            raise Fault(f"{self._what}: it is cut off after {self.count} members")

    def _feed(self, piece: bytes) -> None:
        at, size = self._skip, len(piece)
        if self._begun:
            at = self._finished(piece)
        while at < size and not self._ended:
            unit = piece[at : at + self._want]
            at += self._want
            if at <= size:
                at += self._header(unit) if self._record is None else self._take(unit)
            else:
                self._begun += unit
                at = size
        self._skip = max(at - size, 0)
        # One zero block is an end as well: that is how engines read it, and some tools write it.
        if self._ended and piece[at:].strip(b"\x00"):
            raise Fault("there are bytes after the end of the tar archive")

    def _finished(self, piece: bytes) -> int:
        missing = self._want - len(self._begun)
        self._begun += piece[:missing]
        if len(self._begun) < self._want:
            return len(piece)
        unit = bytes(self._begun)
        self._begun.clear()
        return missing + (self._header(unit) if self._record is None else self._take(unit))

    def _take(self, unit: bytes) -> int:
        """Read a record; content of none follows."""
        self._overrides = self._overrides or Overrides()
        records = self._overrides.add(self._record or b"", unit[: self._record_size])
        self._record, self._want = None, BLOCK
        self._budget.spend_steps(_STEPS_OF_RECORD * records)
        return 0

    def _header(self, block: bytes) -> int:
        if not self._started:
            # An engine looks here, too, for what it may have to undo.
            self._started = True
            refuse_magic(block, "its content")
        if block == ZEROS:
            self._ended = True
            return 0
        if not is_header(block):
            raise Fault(f"there is no sound tar header after {self.count} members")
        owners = numbers_of(block)
        flag, size = block[156:157], number(block[124:136])
        if size < 0:
            raise Fault(f"a member has the impossible size {size}")
        if flag in EXTENSIONS:
            self._expect_record(block, flag, size)
            return 0
        self.count += 1
        self._budget.spend_member()
        name, link = name_of(block), link_of(block) if flag in _LINKS else b""
        if (overrides := self._overrides) is not None:
            self._overrides = None
            name = name if overrides.name is None else overrides.name
            link = link if overrides.link is None else overrides.link
            size = size if overrides.size is None else overrides.size
            owners = overrides.owners(owners)
        # Before there was a type for directories, a slash at the end was their mark.
        if flag == _OLD_FILE and name.endswith(b"/"):
            flag = _DIRECTORY
        path = self._path(name)
        if owners is not self._owners:
            self._check_owners(path, owners)
        self._entry(block, path, flag, link, size)
        self._padding = padding(size)
        return size + self._padding

    def _expect_record(self, block: bytes, flag: bytes, size: int) -> None:
        if size > self._bounds.layer_header:
            most = self._bounds.layer_header
            raise Fault(f"an extended header has {size} bytes, more than {most}")
        if flag == PAX_GLOBAL:
            # Some of an engine's stores lay out directories for it, and heed a whiteout's name.
            self._check_global(_normal(name_of(block)))
        self._record, self._record_size = flag, size
        self._want = size + padding(size)

    def _check_global(self, path: bytes) -> None:
        if any(part.startswith(_WHITEOUT) for part in path.split(b"/")):
            raise Fault(f"a global extended header has the name {quoted(path)} of a whiteout")

    def _check_owners(self, path: bytes, owners: tuple[int, int]) -> None:
        for owner in owners:
            if not 0 <= owner <= self._bounds.owner:
                raise Fault(
                    f"member {quoted(path)} belongs to the user or group {owner}; a container has "
                    f"those from 0 to {self._bounds.owner}"
                )
        self._owners = owners

    def _path(self, name: bytes) -> bytes:
        if name[:1] in _ODD_STARTS or b"/." in name or b"//" in name or b"\x00" in name:
            name = _normal(name)
        if len(name) > self._shortest_bound:
            self._check_length(name)
        return name.rstrip(b"/")

    def _check_length(self, name: bytes) -> None:
        if len(name) > self._bounds.path:
            raise Fault(f"the name {quoted(name)} is longer than {self._bounds.path} bytes")
        if name.count(b"/") > self._bounds.depth:
            raise Fault(f"the name {quoted(name)} is more than {self._bounds.depth} deep")

    def _entry(self, block: bytes, path: bytes, flag: bytes, link: bytes, size: int) -> None:
        if _WHITEOUT in path and self._whiteout(path, flag, link, size):
            return
        if flag in _FILES:
            self._expect_name(path)
            self._tree.add(path)
            return
        if size:
            raise Fault(f"member {quoted(path)} is not a file and yet has {size} bytes of content")
        if flag == _DIRECTORY:
            self._tree.add_directory(path)
            return
        self._expect_name(path)
        if flag == _SYMLINK:
            self._tree.add_symlink(path, self._target(path, link))
        elif flag == _HARD_LINK:
            self._tree.add_hard_link(path, _normal(self._target(path, link)))
        else:
            _check_special(path, flag, block)
            self._tree.add(path)

    def _whiteout(self, path: bytes, flag: bytes, link: bytes, size: int) -> bool:
        """Take a whiteout; say whether the member is one, or another thing of aufs's own."""
        *directories, name = path.split(b"/")
        if any(each.startswith(_WHITEOUT) for each in directories):
            raise Fault(f"member {quoted(path)} lies in a directory that is named like a whiteout")
        if not name.startswith(_WHITEOUT):
            return False
        if not directories and not size and flag == _OF_AUFS.get(name):
            self._tree.add(path)
            return True
        _check_whiteout(path, name, flag, link, size)
        if flag == _HARD_LINK:
            self._tree.add_hard_link(path, _normal(self._target(path, link)))
        else:
            self._tree.add(path)
        if name != _OPAQUE:
            self._tree.hide(b"/".join([*directories, name.removeprefix(_WHITEOUT)]))
        return True

    def _expect_name(self, path: bytes) -> None:
        if not path:
            raise Fault("a member has the name of the root directory and is none")

    def _target(self, path: bytes, link: bytes) -> bytes:
        if not link or b"\x00" in link or len(link) > self._bounds.path:
            raise Fault(f"member {quoted(path)} is a link to {quoted(link)}, which cannot be")
        return link


def _normal(name: bytes) -> bytes:
    """Return a name as engines read it: from the image's root, without ``.`` and empty parts."""
    if not name or b"\x00" in name:
        raise Fault(f"a member has the impossible name {quoted(name)}")
    parts = [part for part in name.split(b"/") if part not in {b"", b"."}]
    if b".." in parts:
        raise Fault(f"member {quoted(name)} has '..' in its name")
    return b"/".join(parts)


def _check_whiteout(path: bytes, name: bytes, flag: bytes, link: bytes, size: int) -> None:
    hidden = name.removeprefix(_WHITEOUT)
    if name != _OPAQUE and (hidden in {b"", b".", b".."} or hidden.startswith(_WHITEOUT)):
        raise Fault(f"member {quoted(path)} is a whiteout of nothing in its directory")
    # With aufs, Docker wrote all whiteouts of a layer but the first as hard links to that.
    twin = flag == _HARD_LINK and link.rpartition(b"/")[2].startswith(_WHITEOUT)
    if size or not (flag in _FILES or twin):
        raise Fault(f"member {quoted(path)} has the name of a whiteout and is no empty file")


def _check_special(path: bytes, flag: bytes, block: bytes) -> None:
    if flag == _FIFO:
        return
    if flag != _CHARACTERS:
        what = _REFUSED.get(flag, f"of the unknown type {quoted(flag)}")
        raise Fault(f"member {quoted(path)} is {what}")
    device = device_of(block)
    if device not in _DEVICES:
        raise Fault(
            f"member {quoted(path)} is the device {device[0]}:{device[1]}; only those that every "
            "container has are accepted, such as /dev/null"
        )
