# SPDX-License-Identifier: Apache-2.0
"""Keys of a viewer, and the size told by its terminal in between. Pure.

A serial line knows no window. So the cursor is sent to the far corner and asked where it is,
as ``resize(1)`` does; the answer comes as if it were typed. It follows
https://invisible-island.net/xterm/ctlseqs/ctlseqs.html.
"""

import re
from dataclasses import dataclass

# Save the cursor, far corner, "where is it?", restore it.
QUESTION = b"\x1b7\x1b[999;999H\x1b[6n\x1b8"

_POSITION = re.compile(rb"\x1b\[(\d{1,4});(\d{1,4})R")
_WINDOW = re.compile(rb"\x1b\[8;(\d{1,4});(\d{1,4})t")
_BEGINNING = re.compile(rb"\x1b(?:\[(?:\d{0,4}(?:;\d{0,4}){0,2})?)?\Z")


@dataclass(frozen=True)
class Size:
    """A terminal's window.

    Attributes:
        rows: lines.
        columns: characters of a line.
    """

    rows: int
    columns: int


DEFAULT_SIZE = Size(24, 80)


def common(sizes: list[Size]) -> Size:
    """Return a size that fits into several windows.

    Args:
        sizes: the windows; those that do not tell are not among them.

    Returns:
        The largest that all can show; 80 by 24 for none.
    """
    if not sizes:
        return DEFAULT_SIZE
    return Size(min(size.rows for size in sizes), min(size.columns for size in sizes))


class Keyboard:
    """Input of one viewer, with the answer to the one question to its terminal."""

    def __init__(self) -> None:
        self._held = b""
        self._asked = True

    @property
    def holding(self) -> bool:
        """True while the last bytes may be the beginning of an answer."""
        return bool(self._held)

    def feed(self, data: bytes) -> tuple[bytes, Size | None]:
        """Take input piece by piece.

        Args:
            data: the next of it.

        Returns:
            What was typed, and the newest size if there was one.
        """
        data = self._held + data
        size = None
        if self._asked and (found := _told(_POSITION, data)):
            # Only the first: later ones answer a program's own question.
            self._asked = False
            match, size = found
            data = data[: match.start()] + data[match.end() :]
        while found := _told(_WINDOW, data):
            match, size = found
            data = data[: match.start()] + data[match.end() :]
        beginning = _BEGINNING.search(data)
        self._held = beginning.group() if beginning else b""
        return data[: len(data) - len(self._held)], size

    def release(self) -> bytes:
        """Give up waiting for the rest of an answer: the bytes were a key.

        Returns:
            What was held back.
        """
        held, self._held = self._held, b""
        return held


def _told(pattern: re.Pattern[bytes], data: bytes) -> tuple[re.Match[bytes], Size] | None:
    for match in pattern.finditer(data):
        size = Size(*map(int, match.groups()))
        # A window of one row is F3 with a modifier key, and 0 is a terminal without a window.
        if size.rows > 1 and size.columns > 1:
            return match, size
    return None
