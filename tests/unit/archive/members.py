# SPDX-License-Identifier: Apache-2.0
"""Builders of the members of a layer, sound and forged."""

import tarfile
from collections.abc import Mapping
from typing import Any

END = bytes(1024)
# CAP_NET_RAW, permitted, as in linux/capability.h.
CAPABILITY = "\1\0\0\2\0\x20" + "\0" * 14


def member(
    name: str,
    kind: bytes = tarfile.REGTYPE,
    content: bytes = b"",
    *,
    tar_format: int = tarfile.GNU_FORMAT,
    records: Mapping[str, str] | None = None,
    **fields: Any,
) -> bytes:
    """Return a member: extended headers, header, content, padding.

    A name may have bytes that are not UTF-8 as surrogates. ``fields`` are TarInfo's.
    """
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    if records:
        tar_format, info.pax_headers = tarfile.PAX_FORMAT, dict(records)
    header = info.tobuf(tar_format, "utf-8", "surrogateescape")
    return header + content + bytes(-len(content) % 512)


def file(name: str, content: bytes = b"x", **fields: Any) -> bytes:
    """Return a file."""
    return member(name, tarfile.REGTYPE, content, **fields)


def directory(name: str) -> bytes:
    """Return a directory."""
    return member(name, tarfile.DIRTYPE)


def symlink(name: str, target: str) -> bytes:
    """Return a symbolic link."""
    return member(name, tarfile.SYMTYPE, linkname=target)


def hard_link(name: str, target: str) -> bytes:
    """Return a hard link."""
    return member(name, tarfile.LNKTYPE, linkname=target)


def device(name: str, major: int, minor: int, kind: bytes = tarfile.CHRTYPE) -> bytes:
    """Return a device node."""
    return member(name, kind, devmajor=major, devminor=minor)


def record(flag: bytes, content: bytes) -> bytes:
    """Return an extended header alone, whatever is in it."""
    return member("record", flag, content)


def pax(**values: str) -> bytes:
    """Return a pax record for the member that follows."""
    lines = b""
    for key, value in values.items():
        line = f" {key}={value}\n".encode()
        size = len(line) + 1
        while size != len(str(size)) + len(line):
            size = len(str(size)) + len(line)
        lines += str(size).encode() + line
    return record(tarfile.XHDTYPE, lines)


def changed(header: bytes, at: int, field: bytes) -> bytes:
    """Return a member with bytes of its header replaced, and the checksum put right."""
    made = bytearray(header)
    made[at : at + len(field)] = field
    made[148:156] = b" " * 8
    made[148:156] = b"%07o\0" % sum(made[:512])
    return bytes(made)


def _ustar(name: str) -> bytes:
    return file(name, tar_format=tarfile.USTAR_FORMAT)


# Each is a whole layer, and a part of what must be said of it.
