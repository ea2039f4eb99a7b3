# SPDX-License-Identifier: Apache-2.0
"""A tar header's fields, read as Go's ``archive/tar`` reads them: that is what engines use.

Where two readers could take a header for two different members, the engine's reading counts,
or the header is refused.
"""

import re
import zlib
from collections.abc import Iterator
from tarfile import GNU_FORMAT, TarInfo

from novadocker.archive.fault import Fault, quoted

BLOCK = 512
ZEROS = bytes(BLOCK)
END = bytes(2 * BLOCK)

_CHECKSUM = slice(148, 156)
_MAGIC = slice(257, 265)
_PREFIX = slice(345, 500)
_POSIX = b"ustar\x0000"
_STAR_TRAILER = b"tar\x00"
_STAR_PREFIX = slice(345, 476)
_GNU = b"ustar  \x00"
_GNU_TIMES = (slice(345, 357), slice(357, 369))
_OCTAL = re.compile(rb" *([0-7]*)[ \x00]*")
_BASE_256 = 0x80
_PAX_LENGTH = re.compile(rb"([1-9][0-9]{0,6}) ")
# Half a block of the largest bytes adds up to less than what Adler-32 counts modulo.
_HALF = BLOCK // 2
_SUM = 0xFFFF


def is_header(block: bytes) -> bool:
    """Say whether a block's checksum is right.

    Args:
        block: the first ``BLOCK`` bytes of a member, or of what may be one.
    """
    if len(block) != BLOCK or not (written := _OCTAL.fullmatch(block[_CHECKSUM])):
        return False
    # Adler-32 has the sum of all bytes in it, and is seven times as fast as sum().
    summed = (zlib.adler32(block[:_HALF]) & _SUM) + (zlib.adler32(block[_HALF:]) & _SUM) - 2
    summed += 8 * ord(" ") - sum(block[_CHECKSUM])
    return bool(written[1]) and int(written[1], 8) == summed


def name_of(block: bytes) -> bytes:
    """Return the name that a header has in itself."""
    name = block[:100].partition(b"\x00")[0]
    if block[345] and (prefix := _prefix(block)):
        return prefix + b"/" + name
    return name


def link_of(block: bytes) -> bytes:
    """Return where a header's link points."""
    return block[157:257].partition(b"\x00")[0]


def number(field: bytes) -> int:
    """Return the number in a field.

    Args:
        field: its bytes.
    """
    if field[0] == _BASE_256:
        return int.from_bytes(field[1:], "big")
    digits = _OCTAL.fullmatch(field)
    if digits is None:
        raise Fault(f"a member has the impossible size {quoted(field)}")
    return int(digits[1] or b"0", 8)


def pax_records(record: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Give the records of an extended header.

    Args:
        record: all of them.

    Yields:
        Key and value of each.
    """
    at = 0
    while at < len(record):
        length = _PAX_LENGTH.match(record, at)
        end = at + int(length[1]) if length else 0
        line = record[length.end() : end] if length else b""
        key, equals, value = line.partition(b"=")
        if not equals or not line.endswith(b"\n") or end > len(record):
            raise Fault(f"an extended header is damaged near {quoted(record[at : at + 32])}")
        yield key, value[:-1]
        at = end


def header(path: str, size: int) -> bytes:
    """Return the header of a file of ours.

    Args:
        path: short ASCII.
        size: bytes of its content.
    """
    member = TarInfo(path)
    member.size = size
    member.mode = 0o444
    return member.tobuf(GNU_FORMAT)


def padding(size: int) -> int:
    """Return how many zeros follow a content of that size."""
    return -size % BLOCK


def _prefix(block: bytes) -> bytes:
    magic = block[_MAGIC]
    if magic == _POSIX:
        star = block[-len(_STAR_TRAILER) :] == _STAR_TRAILER
        return block[_STAR_PREFIX if star else _PREFIX].partition(b"\x00")[0]
    if magic == _GNU and not all(_is_time(block[field]) for field in _GNU_TIMES):
        # Go before 1.8 wrote such headers, and its readers still understand them.
        prefix = block[_PREFIX].partition(b"\x00")[0]
        return prefix if prefix.isascii() else b""
    return b""


def _is_time(field: bytes) -> bool:
    return not field[0] or field[0] >= _BASE_256 or _OCTAL.fullmatch(field) is not None
