# SPDX-License-Identifier: Apache-2.0
"""How far a compressed stream may grow."""

from novadocker.archive.bounds import Bounds
from novadocker.archive.fault import Fault


class Growth:
    """Counter of bytes into and out of a decompressor.

    Args:
        what: the stream's name in messages.
        bounds: ``ratio`` and ``ratio_from`` count here.
    """

    def __init__(self, what: str, bounds: Bounds) -> None:
        self._what = what
        self._bounds = bounds
        self._read = 0
        self._given = 0

    def read(self, count: int) -> None:
        """Count compressed bytes."""
        self._read += count

    def give(self, count: int) -> None:
        """Count decompressed bytes.

        Args:
            count: further bytes.

        Raises:
            Fault: that is out of proportion.
        """
        self._given += count
        bounds = self._bounds
        # Small streams may be as dense as they like: a file of zeros is nobody's attack.
        if self._given > bounds.ratio_from and self._given > bounds.ratio * self._read:
            raise Fault(
                f"{self._what} unpacks to more than {bounds.ratio} times its compressed size"
            )
