# SPDX-License-Identifier: Apache-2.0
"""Numbers in tar headers, read as Go's ``parseNumeric`` reads them."""

import functools
import re

from novadocker.archive.fault import Fault, quoted

_OCTAL = re.compile(rb"[0-7]{1,21}")
_BASE_256, _NEGATIVE = 0x80, 0x40
_LARGEST = (1 << 63) - 1
# Owners, modes and times recur from member to member; sizes often do.
_REMEMBERED = 4096


@functools.lru_cache(_REMEMBERED)
def number(field: bytes, noun: str = "size") -> int:
    """Return the number in a field.

    Args:
        field: 8 or 12 bytes of a header.
        noun: the field's name in messages.

    Raises:
        Fault: Go finds no number there.
    """
    value = parsed(field)
    if value is None:
        raise Fault(f"a member has the impossible {noun} {quoted(field)}")
    return value


def parsed(field: bytes) -> int | None:
    """Return the number in a field; None where Go finds none.

    Args:
        field: 8 or 12 bytes of a header.
    """
    if field[0] & _BASE_256:
        return _base_256(field)
    digits = field.strip(b" \x00").partition(b"\x00")[0]
    if not digits:
        return 0
    return int(digits, 8) if _OCTAL.fullmatch(digits) else None


def _base_256(field: bytes) -> int | None:
    mask = (1 << (8 * len(field) - 1)) - 1
    bits = int.from_bytes(field, "big") & mask
    negative = bool(field[0] & _NEGATIVE)
    size = ~bits & mask if negative else bits
    if size > _LARGEST:
        return None
    return ~size if negative else size
