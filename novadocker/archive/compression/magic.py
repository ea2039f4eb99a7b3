# SPDX-License-Identifier: Apache-2.0
"""How compressed bytes begin, and which compressions are not undone."""

import re

from novadocker.archive.fault import Fault

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
# Frames that zstd skips; a stream may begin with one.
SKIPPED_BY_ZSTD = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")
LONGEST = 6

# The engine undoes these too, by a program that it runs as root for the purpose. An image
# must not choose which program that is.
_NOT_UNDONE = {b"\xfd7zXZ\x00": "xz", b"BZh": "bzip2"}


def is_zstd(head: bytes) -> bool:
    """Say whether bytes begin a zstd stream.

    Args:
        head: first bytes of the stream.
    """
    return head.startswith(ZSTD) or bool(SKIPPED_BY_ZSTD.match(head))


def refuse_compression(head: bytes, what: str) -> None:
    """Raise if bytes are compressed in a way that is not undone here.

    Args:
        head: the first bytes.
        what: their name in messages.
    """
    for magic, name in _NOT_UNDONE.items():
        if head.startswith(magic):
            raise Fault(
                f"{what} is compressed with {name}; gzip, zstd or no compression is accepted"
            )


def refuse_magic(head: bytes, what: str) -> None:
    """Raise if bytes begin as compressed ones do, in any way.

    Args:
        head: the first bytes of what should be a tar archive.
        what: their name in messages.
    """
    refuse_compression(head, what)
    if head.startswith(GZIP) or is_zstd(head):
        raise Fault(f"{what} begins as if it were compressed once more")
