# SPDX-License-Identifier: Apache-2.0
"""Layers whose few bytes are made to cost a reader much work or memory."""

import functools
import itertools
from collections.abc import Callable, Iterator

from tests.unit.archive.hostile_layers import changed, directory, file, pax, record, symlink

DEEP = "d/" * 240
# Headers before what follows them: enough to keep a reader busy, were its work not bounded.
COUNT = 5_000


def headers(name: str, count: int, flag: bytes = b"0") -> Iterator[bytes]:
    """Give empty members whose names end in a number."""
    at = len(name)
    template = changed(file(f"{name}{0:08}", b""), 156, flag)
    plain = sum(template[:148]) + sum(template[156:]) + 8 * ord(" ") - 8 * ord("0")
    for number in range(count):
        digits = b"%08d" % number
        made = bytearray(template)
        made[at : at + 8] = digits
        made[148:156] = b"%06o\0 " % (plain + sum(digits))
        yield bytes(made)


def chain_of_links() -> Iterator[bytes]:
    """Give members behind 39 links in a deep directory, each time another way."""
    yield directory(f"{DEEP}z")
    yield from (symlink(f"{DEEP}l{number}", f"l{number + 1}") for number in range(39))
    yield symlink(f"{DEEP}l39", "z")
    for number in range(COUNT):
        yield file(f"{DEEP}l{number % 40}/{number}", b"")
        yield file(f"other/{number}", b"")


def links_to_long_ways() -> Iterator[bytes]:
    """Give members behind links whose targets have two thousand parts."""
    yield symlink("s", "d")
    yield directory("d")
    yield symlink("d/s", ".")
    yield from (symlink(f"l{number}", "s/" * 2000) for number in range(40))
    yield from (file(f"l{number % 40}/x{number}/y", b"") for number in range(COUNT))


def fresh_directories() -> Iterator[bytes]:
    """Give members each of which lies deep in directories of its own."""
    yield symlink("l", "x")
    yield from (file(f"{number}/{DEEP}x", b"") for number in range(COUNT))


def many_known_directories() -> Iterator[bytes]:
    """Give members that go round among more deep directories than are remembered."""
    ways = [f"{number}/" + "d/" * 40 for number in range(4500)]
    for turn in itertools.count():
        if turn == 2:
            return
        yield from (file(f"{way}{turn}", b"") for way in ways)


def tiny_members() -> Iterator[bytes]:
    """Give more empty files than a layer may have."""
    return headers("usr/share/doc/", 360_000)


def records_of_nothing() -> Iterator[bytes]:
    """Give extended headers of a MiB in records of six bytes each."""
    keys = b"6 a=\n\n"
    yield from (record(b"x", keys * 170_000) + file(f"x{number}", b"") for number in range(12))


def huge_records() -> Iterator[bytes]:
    """Give extended headers of a MiB in one record each."""
    yield from (pax(comment="x" * 1_000_000) + file(f"x{number}", b"") for number in range(20))


def long_targets() -> Iterator[bytes]:
    """Give symbolic links whose targets are as long as Linux has them."""
    yield from (symlink(f"l{number}", "t" * 4090) for number in range(COUNT))


def long_names() -> Iterator[bytes]:
    """Give files whose names are as long as Linux has them."""
    yield from (file(f"{number:06}" + "n" * 4000, b"") for number in range(COUNT))


LAYERS: tuple[Callable[[], Iterator[bytes]], ...] = (
    chain_of_links,
    links_to_long_ways,
    fresh_directories,
    many_known_directories,
    tiny_members,
    records_of_nothing,
    huge_records,
    long_targets,
    long_names,
)


@functools.cache
def layer(made: Callable[[], Iterator[bytes]]) -> bytes:
    """Return a layer, made once."""
    return b"".join(made()) + bytes(1024)


REMEMBERED = fresh_directories, many_known_directories, long_targets
