# SPDX-License-Identifier: Apache-2.0
"""Source of bytes with a position, for readers of a format."""

import abc
from collections.abc import Iterator


class Positioned(abc.ABC):
    """An archive's bytes at a moving position."""

    @property
    @abc.abstractmethod
    def position(self) -> int:
        """How many bytes of the archive, without outer compression, lie before the next one."""

    @abc.abstractmethod
    def pieces(self, length: int) -> Iterator[bytes]:
        """Give the next bytes as they come.

        Args:
            length: how many; fewer are given at the end.

        Yields:
            Non-empty pieces.
        """

    def read(self, length: int) -> bytes:
        """Return the next bytes, fewer at the end.

        Args:
            length: small, for the result is held in memory.
        """
        return b"".join(self.pieces(length))
