# SPDX-License-Identifier: Apache-2.0
"""Periodic timers in CRIU's image of files."""

import pytest

from novadocker.virt.docker.checkpoint import timers

MAGIC = b"\x00" * 8


def integer(value: int) -> bytes:
    """Return an integer as protobuf writes it."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])


def field(number: int, value: int | bytes) -> bytes:
    """Return a field of a message."""
    if isinstance(value, int):
        return integer(number << 3) + integer(value)
    return integer(number << 3 | 2) + integer(len(value)) + value


def timer(seconds: int, nanoseconds: int, every: int) -> bytes:
    """Return an entry of a timer: type, id, and what is left and repeated."""
    told = b"".join(
        field(number, value)
        for number, value in enumerate((5, 2048, 0, 1, 0, 0, seconds, nanoseconds, every, 0), 1)
    )
    return field(1, 17) + field(2, 5) + field(12, told)


def image(*entries: bytes) -> bytes:
    """Return an image of entries, each behind its size."""
    return MAGIC + b"".join(len(each).to_bytes(4, "little") + each for each in entries)


REGULAR = field(1, 1) + field(2, 7) + field(3, b"/etc/hosts" * 20)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (timer(0, 0, 3), timer(0, 1, 3)),
        (timer(2, 0, 3), timer(2, 0, 3)),
        (timer(0, 500, 3), timer(0, 500, 3)),
        (timer(0, 0, 0), timer(0, 0, 0)),
    ],
    ids=["ran out", "seconds left", "nanoseconds left", "not periodic"],
)
def test_a_periodic_timer_without_time_left_runs_again(before: bytes, after: bytes) -> None:
    """Such a timer has one nanosecond left; all others stay."""
    assert timers.armed(image(REGULAR, before, REGULAR)) == image(REGULAR, after, REGULAR)


def test_an_image_that_breaks_off_is_refused() -> None:
    """A content that is no image of files is an error, and no crash."""
    with pytest.raises(ValueError, match="cannot be read"):
        timers.armed(image(REGULAR, timer(0, 0, 3))[:-3])
