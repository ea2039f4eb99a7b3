# SPDX-License-Identifier: Apache-2.0
"""Superblock of ext4: read, and compared with the features of file systems made here. Pure.

Nothing in a superblock is trusted: the kernel acts on it, so whatever is not known is refused
before the kernel sees it.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

OFFSET = 1024
LENGTH = 1024
MAGIC = 0xEF53
JOURNAL_INODE = 8
_DYNAMIC_REVISION = 1
_LARGEST_BLOCK_LOG = 2  # 4 KiB: the largest page that every architecture has

# Feature bits by word: compatible, incompatible, compatible for reading. What mkfs sets here.
MADE: dict[str, tuple[int, int]] = {
    "has_journal": (0, 0x4),
    "ext_attr": (0, 0x8),
    "resize_inode": (0, 0x10),
    "dir_index": (0, 0x20),
    "filetype": (1, 0x2),
    "extent": (1, 0x40),
    "64bit": (1, 0x80),
    "flex_bg": (1, 0x200),
    "sparse_super": (2, 0x1),
    "large_file": (2, 0x2),
    "huge_file": (2, 0x8),
    "dir_nlink": (2, 0x20),
    "extra_isize": (2, 0x40),
    "metadata_csum": (2, 0x400),
}
# What the kernel itself sets later, or the defaults of newer programs do.
_ALSO: dict[str, tuple[int, int]] = {
    "orphan_file": (0, 0x1000),
    "needs_recovery": (1, 0x4),
    "meta_bg": (1, 0x10),  # after growth beyond what resize_inode has kept free
    "metadata_csum_seed": (1, 0x2000),
    "uninit_bg": (2, 0x10),
    "orphan_present": (2, 0x10000),
}
_DEFAULT_OPTIONS = 0xC  # user_xattr and acl
_WORDS = ("compatible", "incompatible", "read-only compatible")


@dataclass(frozen=True)
class Superblock:
    """The fields that decide whether the kernel may mount a file system.

    Attributes:
        revision: number of the format.
        block_log: logarithm of the block size, less ten.
        blocks: number of them.
        features: the three words of feature bits.
        journal_inode: number of the inode with the journal.
        journal_device: number of another device with the journal; 0 for none.
        default_options: bits of mount options.
        options: text of further mount options.
    """

    revision: int
    block_log: int
    blocks: int
    features: tuple[int, int, int]
    journal_inode: int
    journal_device: int
    default_options: int
    options: bytes

    @classmethod
    def parse(cls, head: bytes) -> Self | None:
        """Read a superblock.

        Args:
            head: the first bytes of a device.

        Returns:
            The superblock; None where there is none.
        """
        raw = head[OFFSET : OFFSET + LENGTH]
        if len(raw) < LENGTH or struct.unpack_from("<H", raw, 0x38)[0] != MAGIC:
            return None

        def word(offset: int) -> int:
            return int(struct.unpack_from("<I", raw, offset)[0])

        return cls(
            revision=word(0x4C),
            block_log=word(0x18),
            blocks=word(0x04) | word(0x150) << 32,
            features=(word(0x5C), word(0x60), word(0x64)),
            journal_inode=word(0xE0),
            journal_device=word(0xE4),
            default_options=word(0x100),
            options=raw[0x200:0x240].rstrip(b"\0"),
        )

    @property
    def size_of_block(self) -> int:
        """Bytes of a block, at most the largest accepted."""
        return 1024 << min(self.block_log, _LARGEST_BLOCK_LOG)

    @property
    def size(self) -> int:
        """Bytes of the file system."""
        return self.blocks * self.size_of_block

    def oddities(self, device_size: int) -> list[str]:
        """Return reasons against a mount as phrases; none for a file system like ours.

        Args:
            device_size: bytes of the device.
        """
        return list(self._oddities(device_size))

    def _oddities(self, device_size: int) -> Iterator[str]:
        if self.revision != _DYNAMIC_REVISION:
            yield f"revision {self.revision} of ext4's format"
        if self.block_log > _LARGEST_BLOCK_LOG:
            yield "blocks larger than 4 KiB"
        elif self.size > device_size:
            yield f"{self.size} bytes of file system on a device of {device_size}"
        for number, (present, name) in enumerate(zip(self.features, _WORDS, strict=True)):
            if unknown := present & ~_known(number):
                yield f"{name} features {unknown:#x}"
        # The kernel would open any device of the host by that number.
        if self.journal_device:
            yield "a journal on another device"
        if self.journal_inode not in {0, JOURNAL_INODE}:
            yield f"a journal in inode {self.journal_inode}"
        if self.default_options & ~_DEFAULT_OPTIONS:
            yield f"default mount options {self.default_options:#x}"
        if self.options:
            yield f"mount options {self.options!r}"


def _known(number: int) -> int:
    return sum(bit for word, bit in (*MADE.values(), *_ALSO.values()) if word == number)
