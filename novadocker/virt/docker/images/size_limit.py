# SPDX-License-Identifier: Apache-2.0
"""Bound on an image's unpacked size: for the server, for the host, for the free space."""

from collections.abc import Callable
from dataclasses import dataclass

GIB = 1024**3

# Left for the engine's own files and for what running containers write meanwhile.
RESERVE = GIB


@dataclass(frozen=True)
class SizeLimit:
    """Bound on an image's unpacked bytes, and the origin of the bound.

    Attributes:
        bytes: the limit.
        bound: the bound's name, for messages.
        of_host: another host may have room.
    """

    bytes: int
    bound: str
    of_host: bool = False


def size_limit(root_bytes: int, most: int, free: Callable[[], int] | None) -> SizeLimit | None:
    """Return the tightest limit of an image; None without any.

    Args:
        root_bytes: root disk of the server's flavor; 0 without a limit.
        most: ``[docker] max_image_size`` in bytes; 0 without a limit.
        free: returns the bytes that are free on the engine's disk; None where unknown.
    """
    limits = []
    if root_bytes:
        limits.append(SizeLimit(root_bytes, "the root disk of the flavor"))
    if most:
        limits.append(SizeLimit(most, "[docker] max_image_size"))
    if free:
        # An engine stores what it loads before it unpacks it.
        room = max(free() - RESERVE, 0) // 2
        limits.append(SizeLimit(room, "half of the host's free disk, less 1 GiB", of_host=True))
    return min(limits, key=lambda limit: limit.bytes, default=None)
