# SPDX-License-Identifier: Apache-2.0
"""Screen of a demonstration."""

import shlex
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

_INDENT = "     "
_CLEAR = "\r\x1b[K"


class Screen:
    """Numbered steps with commands, results and times.

    Args:
        out: where it is written to.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._began = time.monotonic()
        self._number = 0
        self._title = ""
        self._is_terminal = out.isatty()

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Show a step.

        Args:
            title: sentence about the step.
        """
        self._number += 1
        self._title = title
        began = time.monotonic()
        self._line(f"\n{self._number:3}. {title}")
        yield
        self.show(f"[{time.monotonic() - began:.1f} s]")

    def command(self, argv: Sequence[str]) -> None:
        """Show a command as typed."""
        self.show(f"$ {shlex.join(argv)}")

    def show(self, text: str) -> None:
        """Show a result."""
        for line in text.splitlines():
            self._line(f"{_INDENT}{line}".rstrip())

    def pass_by(self, text: str) -> None:
        """Show a line of progress, in whose place a terminal shows the next line."""
        if not self._is_terminal:
            self.show(text)
            return
        # A line that wraps could not be cleared.
        line = f"{_INDENT}{text.rstrip()}"[: shutil.get_terminal_size().columns - 1]
        self._out.write(f"{_CLEAR}{line}")
        self._out.flush()

    def note(self, text: str) -> None:
        """Show a text outside of all steps."""
        self._line(f"\n{text}")

    def failure(self, error: Exception, details: str) -> None:
        """Show the reason of a failure.

        Args:
            error: reason of the failure.
            details: the logs' last lines.
        """
        self.note(f"FAILED in step {self._number}, {self._title!r}:\n{error}")
        if details:
            self.note(details)

    def _line(self, text: str) -> None:
        self._out.write(f"{_CLEAR if self._is_terminal else ''}{text}\n")
        self._out.flush()
