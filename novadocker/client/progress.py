# SPDX-License-Identifier: Apache-2.0
"""How far a transfer has come, on the terminal.

openstackclient's own bar goes to standard output, where the result is to stand alone.
"""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TextIO

_WIDTH = 30
_PAUSE = 0.1  # seconds between two drawings of the line
_SOON = 2.0  # seconds after which a speed means something
_MiB = 1024 * 1024


class Progress:
    """Shows transfers, if anybody looks.

    Args:
        wanted: True to show them; None to show them where the screen is a terminal.
        screen: stream to show them on; None for standard error.
    """

    def __init__(self, *, wanted: bool | None, screen: TextIO | None = None) -> None:
        self._screen = screen or sys.stderr
        self._wanted = self._screen.isatty() if wanted is None else wanted

    def of(self, chunks: Iterable[bytes], what: str, size: int | None = None) -> Iterator[bytes]:
        """Pass bytes on, and show the progress.

        Args:
            chunks: the bytes.
            what: action that is being done, in a word.
            size: number of all bytes, if known.
        """
        if not self._wanted:
            yield from chunks
            return
        passed, shown, began = 0, 0.0, time.monotonic()
        try:
            for chunk in chunks:
                yield chunk
                passed += len(chunk)
                if time.monotonic() - shown > _PAUSE:
                    shown = time.monotonic()
                    self._show(line(what, passed, size, shown - began))
        finally:
            self._show(line(what, passed, size, time.monotonic() - began) + "\n")

    def _show(self, text: str) -> None:
        # A line may be shorter than the one before: the terminal clears what is behind it.
        self._screen.write(f"\r\x1b[K{text}")
        self._screen.flush()


def line(what: str, passed: int, size: int | None, seconds: float = 0.0) -> str:
    """Return the line for the screen.

    Args:
        what: action that is being done.
        passed: bytes so far.
        size: number of all bytes, if known.
        seconds: time since the beginning.
    """
    speed = passed / seconds if seconds >= _SOON else 0.0
    told = f", {speed / _MiB:.1f} MiB/s" if speed else ""
    if not size:
        return f"{what} {passed / _MiB:.1f} MiB{told}"
    if speed and passed < size:
        told += f", {_clock((size - passed) / speed)} left"
    part = min(passed / size, 1.0)
    bar = "=" * round(part * _WIDTH)
    return f"{what} [{bar:<{_WIDTH}}] {part:4.0%} of {size / _MiB:.1f} MiB{told}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"
