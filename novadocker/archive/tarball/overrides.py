# SPDX-License-Identifier: Apache-2.0
"""Records before a member for values beyond the header: pax, and GNU's long names."""

import re

from novadocker.archive.fault import Fault, quoted
from novadocker.archive.tarball.header import pax_records

LONG_NAME, LONG_LINK, PAX, PAX_GLOBAL = b"L", b"K", b"x", b"g"
EXTENSIONS = frozenset({LONG_NAME, LONG_LINK, PAX, PAX_GLOBAL})

_LONGEST_NUMBER = len("9223372036854775807")
_ID = re.compile(rb"[+-]?[0-9]{1,18}")
_TIME = re.compile(rb"[+-]?[0-9]{1,18}(\.[0-9]*)?")
_IDS, _TIMES = {b"uid", b"gid"}, {b"mtime", b"atime", b"ctime"}
_TEXTS = {b"path", b"linkpath", b"uname", b"gname"}
_SPARSE = b"GNU.sparse."
# An engine writes them as root, and overlayfs takes them for its own: they make files of lower
# layers appear elsewhere, or disappear.
_DECISIVE = {b"path", b"linkpath", b"size"}
_KNOWN = _DECISIVE | _IDS | _TIMES
_OVERLAYFS = (b"SCHILY.xattr.trusted.overlay.", b"SCHILY.xattr.user.overlay.")


class Overrides:
    """Overrides of a header by the records before it.

    Readers differ in which of two records about one thing counts, so there may be one.

    Attributes:
        name: the member's, or None.
        link: where it points, or None.
        size: bytes of the content, or None.
        ids: numbers of user and group, by their pax keys.
    """

    def __init__(self) -> None:
        self.name: bytes | None = None
        self.link: bytes | None = None
        self.size: int | None = None
        self.ids: dict[bytes, int] = {}
        self._seen: set[bytes] = set()

    def owners(self, owners: tuple[int, int]) -> tuple[int, int]:
        """Return a member's user and group.

        Args:
            owners: those in its header.
        """
        return self.ids.get(b"uid", owners[0]), self.ids.get(b"gid", owners[1])

    def add(self, flag: bytes, record: bytes) -> int:
        """Take a record.

        Args:
            flag: one of ``EXTENSIONS``.
            record: content of the record.

        Returns:
            The number of keys in it.
        """
        if flag in self._seen or (flag == PAX_GLOBAL and self._seen):
            raise Fault("a member has several extended headers of which only one can count")
        if flag != PAX_GLOBAL:
            self._seen.add(flag)
        if flag == LONG_NAME:
            self._rename(record.rstrip(b"\x00"))
        elif flag == LONG_LINK:
            self._relink(record.rstrip(b"\x00"))
        else:
            return self._pax(record, everywhere=flag == PAX_GLOBAL)
        return 1

    def _pax(self, record: bytes, *, everywhere: bool) -> int:
        known: dict[bytes, bytes] = {}
        count = 0
        for key, value in pax_records(record):
            count += 1
            if key in _KNOWN:
                known[key] = value
            elif key.startswith(_SPARSE):
                raise Fault("a member is a sparse file; save the image with 'docker save'")
            elif key.startswith(_OVERLAYFS):
                raise Fault(f"a member has {quoted(key)}, which is for overlayfs alone to set")
            if not key or b"\x00" in (value if key in _TEXTS else key):
                raise Fault(f"an extended header has a zero byte, or nothing, in {quoted(key)}")
        for key, value in known.items():
            if everywhere and key in _DECISIVE:
                raise Fault(f"a global extended header sets {quoted(key)} for all members")
            if not everywhere:
                self._set(key, value)
        return count

    def _set(self, key: bytes, value: bytes) -> None:
        if key == b"path":
            self._rename(value)
        elif key == b"linkpath":
            self._relink(value)
        elif key == b"size":
            self.size = _size(value)
        elif value and not (_ID if key in _IDS else _TIME).fullmatch(value):
            raise Fault(f"a member has the impossible {key.decode()} {quoted(value)}")
        elif value and key in _IDS:
            self.ids[key] = int(value)

    def _rename(self, name: bytes) -> None:
        if self.name is not None:
            raise Fault(f"a member has two names, {quoted(self.name)} and {quoted(name)}")
        self.name = name

    def _relink(self, link: bytes) -> None:
        if self.link is not None:
            raise Fault(f"a member has two targets, {quoted(self.link)} and {quoted(link)}")
        self.link = link


def _size(value: bytes) -> int:
    if not value.isdigit() or len(value) > _LONGEST_NUMBER:
        raise Fault(f"an extended header has the impossible size {quoted(value)}")
    return int(value)
