# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest

from novadocker.virt.docker.volumes.superblock import Superblock
from tests.unit.virt.docker.volumes.images import SIZE, ext4


def oddities(head: bytes) -> list[str]:
    """Return what speaks against a mount."""
    superblock = Superblock.parse(head)
    assert superblock
    return superblock.oddities(SIZE)


def test_what_mkfs_makes_is_accepted() -> None:
    """Whether or not its journal is to be replayed."""
    assert oddities(ext4()) == []
    assert oddities(ext4(incompatible=0x2C2 | 0x4)) == []


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"revision": 0}, "revision 0"),
        ({"block_log": 6}, "larger than 4 KiB"),
        ({"block_log": 0xFFFFFFFF}, "larger than 4 KiB"),
        ({"blocks": SIZE // 1024 + 1}, "on a device of"),
        ({"blocks": 0xFFFFFFFF}, "on a device of"),
        ({"compatible": 0x3C | 0x1}, "compatible features 0x1"),
        ({"incompatible": 0x2C2 | 0x8}, "incompatible features 0x8"),  # a journal device
        ({"incompatible": 0x2C2 | 0x8000}, "0x8000"),  # inline data
        ({"incompatible": 0x2C2 | 0x10000}, "0x10000"),  # encryption
        ({"incompatible": 0x2C2 | 0x80000000}, "0x80000000"),
        ({"read_only": 0x46B | 0x200}, "0x200"),  # bigalloc
        ({"read_only": 0x46B | 0x100}, "0x100"),  # quota
        ({"read_only": 0x46B | 0x8000}, "0x8000"),  # verity
        ({"journal_device": 0x700}, "another device"),
        ({"journal_inode": 12}, "journal in inode 12"),
        ({"default_options": 0x1C}, "default mount options"),
        ({"options": b"usrjquota=x"}, "mount options"),
    ],
)
def test_what_is_not_known_is_told(changes: dict[str, Any], word: str) -> None:
    """Every field that the kernel acts on, before the kernel sees it."""
    assert any(word in each for each in oddities(ext4(**changes)))


@pytest.mark.parametrize("head", [b"", bytes(1024), bytes(68 * 1024), ext4()[:2000]])
def test_without_a_whole_superblock_there_is_none(head: bytes) -> None:
    """A device may be smaller than one, or end in it."""
    assert Superblock.parse(head) is None
