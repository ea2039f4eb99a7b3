# SPDX-License-Identifier: Apache-2.0
"""Layers with some bytes of their headers changed, where readers of tar differ."""

import random
from collections.abc import Iterator

from tests.unit.archive import hostile_layers as layers
from tests.unit.archive.members import END, changed, pax, record

BLOCK = 512
# Fields of a header by offset and length.
FIELDS = (
    (0, 100),  # name
    (100, 8),  # mode
    (108, 8),  # user
    (116, 8),  # group
    (124, 12),  # size
    (136, 12),  # time
    (148, 8),  # checksum
    (156, 1),  # type
    (157, 100),  # link
    (257, 6),  # magic
    (263, 2),  # version
    (265, 32),  # user's name
    (329, 8),  # major
    (337, 8),  # minor
    (345, 12),  # prefix, or GNU's atime
    (357, 12),  # GNU's ctime
    (345, 155),
    (476, 12),  # times of star
    (488, 12),
    (500, 12),  # trailer of star
)
VALUES = (
    b"",
    b"0",
    b" ",
    b"\0",
    b"7",
    b"8",
    b"-1",
    b"x",
    b"1 2",
    b" 1 ",
    b"1\x002",
    b"0000644\0",
    b"00000000012\0",
    b"000000000123",
    b"777777777777",
    b"77777777777\0",
    b"\x80\0\0\0\0\0\0\0\0\0\0\1",
    b"\x80\0\0\0\0\0\0\1",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\xff\xff\xff\xff\xff\xff\xff\xff",
    b"ustar\0",
    b"ustar\x0000",
    b"ustar\x0001",
    b"ustar  \0",
    b"ustar ",
    b"tar\0",
    b"etc/",
    b"a/../b",
    b"/",
    b"./",
    b"\xc3\xa9",
    b"\xff",
    b".wh.x",
)
TYPES = b"0\x0012345679ABCDIKLMNSVXgx"
KEYS = ("path", "linkpath", "size", "uid", "gid", "mtime", "atime", "ctime", "uname", "comment")
TEXTS = (
    *("", "0", "1", "-1", "+1", "007", "1.5", "1.", ".5", "1e3", "x", "a/b", "a/", "../a", "/a"),
    *("65535", "65536", "9223372036854775807", "9223372036854775808", "99999999999999999999"),
    *("é", "a=b", " 1", "1 ", "-0", "0x10", "1_000", "1.-5", "-1.5", "1.5.5", "\u0661"),
)
# Records as no tool writes them.
RECORDS = (
    b"",
    b"\0",
    b"5 a=\n",
    b"6 a=b\n",
    b"06 a=b\n",
    b"+6 a=b\n",
    b" 6 a=b\n",
    b"6 =ab\n",
    b"6 a=b\0",
    b"7 a=b\n",
    b"10 path=a\n",
    b"10 path=a\n10 path=b\n",
    b"10 path=a\n0",
    b"9 size=\n10 size=1\n",
    b"8 uid=\n",
    b"22 GNU.sparse.major=1\n",
    b"25 SCHILY.xattr.user.a=b\n",
    b"13 path=a\0b\n",
    b"12 a\0b=cde\n",
    b"name\0",
    b"name\0more\0",
    b"\0name",
    b"a/../b\0\0",
)


def mutants(drawn: random.Random, count: int) -> Iterator[bytes]:
    """Give layers that differ from sound and hostile samples in a few fields.

    Args:
        drawn: source of chance.
        count: number of layers.
    """
    samples = [*layers.SOUND.values(), *(layer for layer, _ in layers.HOSTILE.values())]
    samples = [sample for sample in samples if len(sample) <= 64 * BLOCK]
    for _ in range(count):
        made = drawn.choice(samples)
        for _ in range(drawn.randint(1, 3)):
            made = _mutant(drawn, made)
        yield made + drawn.choice((END, END, END, b"", bytes(BLOCK), END + b"x", b"x"))


def _mutant(drawn: random.Random, layer: bytes) -> bytes:
    blocks = [layer[at : at + BLOCK] for at in range(0, len(layer), BLOCK)]
    at = drawn.randrange(len(blocks)) if blocks else 0
    action = drawn.randrange(10)
    if action == 0 and blocks:
        del blocks[at]
    elif action == 1:
        blocks.insert(at, drawn.choice((bytes(BLOCK), b"x" * BLOCK, *blocks)))
    elif action == 2:
        blocks.insert(at, pax(**{drawn.choice(KEYS): drawn.choice(TEXTS)}))
    elif action == 3:
        blocks.insert(at, record(drawn.choice((b"x", b"g", b"L", b"K")), drawn.choice(RECORDS)))
    elif blocks:
        blocks[at] = _header(drawn, blocks[at])
    return b"".join(blocks)


def _header(drawn: random.Random, block: bytes) -> bytes:
    start, length = drawn.choice(FIELDS)
    if length == 1:
        value = bytes((drawn.choice(TYPES),))
    else:
        value = drawn.choice(VALUES)[:length]
        value = value.ljust(length, b"\0") if drawn.randrange(2) else value
    if drawn.randrange(8):
        return changed(block, start, value)
    return block[:start] + value + block[start + len(value) :]
