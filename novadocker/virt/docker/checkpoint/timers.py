# SPDX-License-Identifier: Apache-2.0
"""Periodic timers (timerfd_create(2)) in CRIU's image of files, armed again.

A timer that ran out while its process was frozen reads as "no time left". CRIU 4.2 writes the
zero down, and a restore then disarms the timer: the process waits for ever.
Source: criu/timerfd.c and images/{fdinfo,timerfd}.proto.
"""

from collections.abc import Iterator

HEADER = 8  # two magic numbers
_TIMER = 12  # field of file_entry
_SECONDS, _NANOSECONDS, _INTERVAL_SECONDS, _INTERVAL_NANOSECONDS = 7, 8, 9, 10
_VARINT, _BYTES, _FOUR = 0, 2, 5


def armed(image: bytes) -> bytes:
    """Return an image of files whose periodic timers all run.

    Args:
        image: content of ``files.img``.

    Returns:
        The same with one nanosecond left for each periodic timer that had none; no length
        changes.

    Raises:
        ValueError: the content is no such image.
    """
    changed, at = bytearray(image), HEADER
    try:
        while at < len(changed):
            size = int.from_bytes(changed[at : at + 4], "little")
            at += 4
            for number, _, begin, end in _fields(changed, at, at + size):
                if number == _TIMER:
                    _arm(changed, begin, end)
            at += size
    except (IndexError, KeyError) as error:
        raise ValueError("CRIU's image of files cannot be read") from error
    return bytes(changed)


def _arm(image: bytearray, begin: int, end: int) -> None:
    timer = {number: (value, at) for number, value, at, _ in _fields(image, begin, end)}
    left = timer[_SECONDS][0] or timer[_NANOSECONDS][0]
    periodic = timer[_INTERVAL_SECONDS][0] or timer[_INTERVAL_NANOSECONDS][0]
    if periodic and not left:
        image[timer[_NANOSECONDS][1]] = 1


def _fields(image: bytearray, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    # Number, value of an integer, begin and end of each field of a message.
    while at < end:
        key, at = _integer(image, at)
        kind, begin, value = key & 7, at, 0
        if kind == _VARINT:
            value, at = _integer(image, at)
        elif kind == _BYTES:
            size, begin = _integer(image, at)
            at = begin + size
        else:
            at += 4 if kind == _FOUR else 8
        yield key >> 3, value, begin, at


def _integer(image: bytearray, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = image[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at
