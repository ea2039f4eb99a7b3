# SPDX-License-Identifier: Apache-2.0
"""Fields of a tar header, read as by engines, with Go's ``archive/tar``.

Where two readers could take a header for two different members, the engine's reading counts,
or the header is refused.
"""

import functools
import re
import zlib
from collections.abc import Iterator
from tarfile import GNU_FORMAT, TarInfo

from novadocker.archive.fault import Fault, quoted
from novadocker.archive.tarball.numbers import number, parsed

BLOCK = 512
ZEROS = bytes(BLOCK)
END = bytes(2 * BLOCK)

_CHECKSUM = slice(148, 156)
_MAGIC = slice(257, 263)
_GNU_MAGIC = slice(257, 265)
_PREFIX = slice(345, 500)
# Go looks at no version behind this.
_POSIX = b"ustar\x00"
_STAR_TRAILER = b"tar\x00"
_STAR_PREFIX = slice(345, 476)
_STAR_TIMES = slice(476, 488), slice(488, 500)
_GNU = b"ustar  \x00"
_GNU_TIMES = slice(345, 357), slice(357, 369)
_PAX_LENGTH = re.compile(rb"([1-9][0-9]{0,6}) ")
_TIME = slice(136, 148)
_MODE_AND_OWNERS = slice(100, 124)
_DEVICE = slice(329, 345)
# Half a block of the largest bytes adds up to less than what Adler-32 counts modulo, and so
# does a whole one of ASCII.
_HALF = BLOCK // 2
_MODULUS = 65521
_SUM = 0xFFFF
_REMEMBERED = 8192


def is_header(block: bytes) -> bool:
    """Say whether a block's checksum is right.

    Args:
        block: the first ``BLOCK`` bytes of a member, or of what may be one.
    """
    if len(block) != BLOCK:
        return False
    # Adler-32 has the sum of all bytes in it, and is seven times as fast as sum().
    expected = _expected_sum(block[_CHECKSUM])
    if zlib.adler32(block) & _SUM != (expected + 1) % _MODULUS:
        return False
    if block.isascii():
        return expected >= 0
    halves = block[:_HALF], block[_HALF:]
    return sum((zlib.adler32(half) & _SUM) - 1 for half in halves) == expected


@functools.lru_cache(_REMEMBERED)
def _expected_sum(field: bytes) -> int:
    """Return the sum of a header's bytes with the checksum's own bytes as blanks."""
    written = parsed(field)
    return -1 if written is None else written + sum(field) - len(field) * ord(" ")


def name_of(block: bytes) -> bytes:
    """Return the name in the header proper."""
    name = block[:100].partition(b"\x00")[0]
    if block[345] and (prefix := _prefix(block)):
        return prefix + b"/" + name
    return name


def link_of(block: bytes) -> bytes:
    """Return where a header's link points."""
    return block[157:257].partition(b"\x00")[0]


def device_of(block: bytes) -> tuple[int, int]:
    """Return the major and minor number of a device; 0:0 in headers of Unix version 7.

    Args:
        block: the header.
    """
    return _device(block[_GNU_MAGIC], block[_DEVICE])


def numbers_of(block: bytes) -> tuple[int, int]:
    """Return the ids of a member's user and group.

    Args:
        block: the header.

    Raises:
        Fault: Go finds no number in one of all fields, and gives the archive up.
    """
    number(block[_TIME], "time")
    _device(block[_GNU_MAGIC], block[_DEVICE])
    if block[-len(_STAR_TRAILER) :] == _STAR_TRAILER and block[_MAGIC] == _POSIX:
        for field in _STAR_TIMES:
            number(block[field], "time")
    return _owners(block[_MODE_AND_OWNERS])


# Nearly all members of an image have the same few of these.
@functools.lru_cache(_REMEMBERED)
def _owners(fields: bytes) -> tuple[int, int]:
    number(fields[:8], "mode")
    return number(fields[8:16], "owner"), number(fields[16:], "group")


@functools.lru_cache(_REMEMBERED)
def _device(magic: bytes, fields: bytes) -> tuple[int, int]:
    if magic != _GNU and not magic.startswith(_POSIX):
        return 0, 0
    return number(fields[:8], "device"), number(fields[8:], "device")


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
    if block[_MAGIC] == _POSIX:
        star = block[-len(_STAR_TRAILER) :] == _STAR_TRAILER
        return block[_STAR_PREFIX if star else _PREFIX].partition(b"\x00")[0]
    if block[_GNU_MAGIC] == _GNU and not all(_is_time(block[field]) for field in _GNU_TIMES):
        # Go before 1.8 wrote such headers, and its readers still understand them.
        prefix = block[_PREFIX].partition(b"\x00")[0]
        return prefix if prefix.isascii() else b""
    return b""


def _is_time(field: bytes) -> bool:
    return not field[0] or parsed(field) is not None
