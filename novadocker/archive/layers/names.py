# SPDX-License-Identifier: Apache-2.0
"""Compact map of hashes, for the names of a layer, of which there may be a million."""

from array import array

VALUES = 16

_FIRST_SLOTS = 1 << 10
_GROWTH = 2
_KEY = (1 << 64) - VALUES


class Names:
    """Small numbers by 60 bits of a hash, in eight bytes a slot.

    A dictionary of Python's takes ten times that. Hashes of bytes are salted anew in each
    process, so nobody can choose names that meet in one slot.
    """

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * _FIRST_SLOTS))
        self._mask = _FIRST_SLOTS - 1
        self._left = _FIRST_SLOTS // 2

    def get(self, key: int) -> int:
        """Return the number of a hash; 0 where there is none.

        Args:
            key: the hash.
        """
        slots, mask = self._slots, self._mask
        key &= _KEY
        at = key >> 4 & mask
        while found := slots[at]:
            if found ^ key < VALUES:
                return found % VALUES
            at = at + 1 & mask
        return 0

    def put(self, key: int, value: int) -> int:
        """Replace the number of a hash.

        Args:
            key: the hash.
            value: at least 1, less than ``VALUES``.

        Returns:
            The number before; 0 where there was none.
        """
        slots, mask = self._slots, self._mask
        key &= _KEY
        at = key >> 4 & mask
        while found := slots[at]:
            if found ^ key < VALUES:
                slots[at] = key | value
                return found % VALUES
            at = at + 1 & mask
        slots[at] = key | value
        self._left -= 1
        if not self._left:
            self._grow()
        return 0

    def _grow(self) -> None:
        had = self._slots
        count = _GROWTH * len(had)
        self._slots = slots = array("Q", bytes(8 * count))
        self._mask = mask = count - 1
        self._left = count // 2 - len(had) // 2
        for entry in had:
            if entry:
                at = entry >> 4 & mask
                while slots[at]:
                    at = at + 1 & mask
                slots[at] = entry
