# SPDX-License-Identifier: Apache-2.0
"""Records before a member that say more of it than its header can: pax, and GNU's long names."""

from novadocker.archive.fault import Fault, quoted
from novadocker.archive.tarball.header import pax_records

LONG_NAME, LONG_LINK, PAX, PAX_GLOBAL = b"L", b"K", b"x", b"g"
EXTENSIONS = frozenset({LONG_NAME, LONG_LINK, PAX, PAX_GLOBAL})

_LONGEST_NUMBER = len("9223372036854775807")
_SPARSE = b"GNU.sparse."
# An engine writes them as root, and overlayfs takes them for its own: they make files of lower
# layers appear elsewhere, or disappear.
_OVERLAYFS = (b"SCHILY.xattr.trusted.overlay.", b"SCHILY.xattr.user.overlay.")


class Overrides:
    """What the records before a header say instead of the header.

    Readers differ in which of two records about one thing counts, so there may be one.

    Attributes:
        name: the member's, or None.
        link: where it points, or None.
        size: of its content, or None.
    """

    def __init__(self) -> None:
        self.name: bytes | None = None
        self.link: bytes | None = None
        self.size: int | None = None
        self._seen: set[bytes] = set()

    def add(self, flag: bytes, record: bytes) -> None:
        """Take a record.

        Args:
            flag: one of ``EXTENSIONS``.
            record: its content.
        """
        if flag in self._seen or (flag == PAX_GLOBAL and self._seen):
            raise Fault("a member has several extended headers of which only one can count")
        if flag == LONG_NAME:
            self._rename(record.rstrip(b"\x00"))
        elif flag == LONG_LINK:
            self._relink(record.rstrip(b"\x00"))
        else:
            self._pax(record, everywhere=flag == PAX_GLOBAL)
        if flag != PAX_GLOBAL:
            self._seen.add(flag)

    def _pax(self, record: bytes, *, everywhere: bool) -> None:
        known: dict[bytes, bytes] = {}
        for key, value in pax_records(record):
            if key.startswith(_SPARSE):
                raise Fault("a member is a sparse file; save the image with 'docker save'")
            if key.startswith(_OVERLAYFS):
                raise Fault(f"a member has {quoted(key)}, which is for overlayfs alone to set")
            if key in {b"path", b"linkpath", b"size"}:
                known[key] = value
        for key, value in known.items():
            if everywhere:
                raise Fault(f"a global extended header sets {quoted(key)} for all members")
            if key == b"path":
                self._rename(value)
            elif key == b"linkpath":
                self._relink(value)
            else:
                self.size = _size(value)

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
        raise Fault(f"a member has the impossible size {quoted(value)}")
    return int(value)
