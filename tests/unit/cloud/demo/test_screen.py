# SPDX-License-Identifier: Apache-2.0
"""Screen of the demonstration, on a terminal and in a file."""

import io
import os
from pathlib import Path

import pytest

from novadocker.cloud.demo.machine import Machine
from novadocker.cloud.demo.screen import Screen


class Terminal(io.StringIO):
    """Stream that a person looks at."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_progress_takes_one_line_of_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line of progress takes the place of the last, and the result takes that of all."""
    monkeypatch.setattr(
        "novadocker.cloud.demo.screen.shutil.get_terminal_size", lambda: os.terminal_size((40, 24))
    )
    out = Terminal()
    screen = Screen(out)
    screen.pass_by("  1.0 s  keystone\n")
    screen.pass_by("x" * 99)
    screen.show("ready")
    lines = out.getvalue().split("\r\x1b[K")[1:]
    assert lines[0].strip() == "1.0 s  keystone"
    assert len(lines[1]) == 39
    assert lines[2] == "     ready\n"


def test_a_file_keeps_all_progress() -> None:
    """A log of a demonstration has a line for each step, and no control characters."""
    out = io.StringIO()
    Screen(out).pass_by("1.0 s  keystone\n")
    assert out.getvalue() == "     1.0 s  keystone\n"


def test_a_demonstration_ends_with_what_to_try(tmp_path: Path) -> None:
    """Suggestions are commands of the demonstration itself."""
    out = io.StringIO()
    Machine(tmp_path / "none", Screen(out)).suggest()
    assert "./demo --keep --with horizon,heat" in out.getvalue()
