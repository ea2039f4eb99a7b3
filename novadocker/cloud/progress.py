# SPDX-License-Identifier: Apache-2.0
"""Progress of the launcher's steps on a screen."""

import shutil
import time
from collections.abc import Sequence
from typing import TextIO

_CLEAR = "\r\x1b[K"


class Progress:
    """Lines of steps that are done, and on a terminal a last line of those under way.

    Args:
        screen: stream to write to.
    """

    def __init__(self, screen: TextIO) -> None:
        self._screen = screen
        self._began = time.monotonic()
        self._is_terminal = screen.isatty()

    def __call__(self, name: str, seconds: float) -> None:
        """Tell a step that is done.

        Args:
            name: name of the step.
            seconds: time of the step alone.
        """
        self._write(f"{self._clock()}  {name} ({seconds:.1f} s)\n")

    def look(self, running: Sequence[str], ended: int, total: int) -> None:
        """Show the steps under way, where a person looks.

        Args:
            running: names of the steps.
            ended: number of steps that are done.
            total: number of all steps.
        """
        if not self._is_terminal:
            return
        text = f"{self._clock()}  {ended} of {total} steps; now {', '.join(running)}"
        # A line that wraps could not be cleared.
        self._write(text[: shutil.get_terminal_size().columns - 1] if running else "")

    def _clock(self) -> str:
        return f"{time.monotonic() - self._began:6.1f} s"

    def _write(self, text: str) -> None:
        self._screen.write(f"{_CLEAR if self._is_terminal else ''}{text}")
        self._screen.flush()
