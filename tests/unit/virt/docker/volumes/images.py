# SPDX-License-Identifier: Apache-2.0
"""Beginnings of devices, as file systems and others write them."""

import struct
from typing import Any

from novadocker.virt.docker.volumes.superblock import MAGIC, OFFSET

SIZE = 1 << 20
SOUND = {
    "blocks": (0x04, SIZE // 1024),
    "block_log": (0x18, 0),
    "revision": (0x4C, 1),
    "compatible": (0x5C, 0x3C),
    "incompatible": (0x60, 0x2C2),
    "read_only": (0x64, 0x46B),
    "journal_inode": (0xE0, 8),
    "journal_device": (0xE4, 0),
    "default_options": (0x100, 0xC),
}


def ext4(options: bytes = b"", **changes: Any) -> bytes:
    """Return the beginning of an ext4 file system like those made here, but for the changes."""
    raw = bytearray(68 * 1024)
    struct.pack_into("<H", raw, OFFSET + 0x38, MAGIC)
    for name, (offset, value) in SOUND.items():
        struct.pack_into("<I", raw, OFFSET + offset, changes.get(name, value))
    raw[OFFSET + 0x200 : OFFSET + 0x200 + len(options)] = options
    return bytes(raw)


def with_signature(offset: int, signature: bytes) -> bytes:
    """Return the beginning of a device that holds nothing but a signature."""
    raw = bytearray(68 * 1024)
    raw[offset : offset + len(signature)] = signature
    return bytes(raw)
