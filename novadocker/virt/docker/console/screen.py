# SPDX-License-Identifier: Apache-2.0
"""Latest output of a terminal, for later viewers. Pure."""

import re

SCREEN_BYTES = 64 * 1024

# Questions that a terminal would answer again, into whatever now reads its keys.
_QUESTIONS = re.compile(
    rb"\x1b\[[0-9;?>=]*[nc]|\x1b\[(?:1[13-9]|2[01])t|\x1b\][0-9;]*\?(?:\x07|\x1b\\)|\x1bZ"
)


class Screen:
    """Bounded memory of a terminal's output.

    Args:
        size: how many bytes are kept at the most.
    """

    def __init__(self, size: int = SCREEN_BYTES) -> None:
        self._size = size
        self._shown = bytearray()
        self._cut = False

    def show(self, data: bytes) -> None:
        """Remember output.

        Args:
            data: the next of it.
        """
        self._shown += data
        if len(self._shown) > self._size:
            del self._shown[: -self._size]
            self._cut = True

    def replay(self) -> bytes:
        """Return the output for a new viewer.

        Returns:
            The end of the output, from the beginning of a line, asking nothing.
        """
        shown = bytes(self._shown)
        if self._cut:
            shown = shown[shown.find(b"\n") + 1 :]
        return _QUESTIONS.sub(b"", shown)
