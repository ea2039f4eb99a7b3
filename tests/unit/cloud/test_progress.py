# SPDX-License-Identifier: Apache-2.0
"""Progress of the launcher's steps, on a terminal and in a file."""

import io
import os
import threading

import pytest

from novadocker.cloud.progress import Progress
from novadocker.cloud.steps import Step, perform


class Terminal(io.StringIO):
    """Stream that a person looks at."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_a_terminal_shows_what_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last line tells how many steps are done, names those that run, and fits."""
    monkeypatch.setattr(
        "novadocker.cloud.progress.shutil.get_terminal_size", lambda: os.terminal_size((60, 24))
    )
    screen = Terminal()
    progress = Progress(screen)
    progress.look(["keystone", "nova-schema"], 3, 40)
    progress.look(["a-long-name"] * 9, 3, 40)
    first, second = screen.getvalue().split("\r\x1b[K")[1:]
    assert first.endswith("3 of 40 steps; now keystone, nova-schema")
    assert len(second) == 59


def test_a_file_gets_the_steps_that_are_done() -> None:
    """Without a terminal there is one line for a step, and nothing to clear."""
    screen = io.StringIO()
    progress = Progress(screen)
    progress.look(["keystone"], 3, 40)
    progress("keystone", 2.04)
    assert screen.getvalue().endswith("s  keystone (2.0 s)\n")
    assert "\r" not in screen.getvalue()
    assert screen.getvalue().count("\n") == 1


def test_a_step_under_way_is_looked_at_until_its_end() -> None:
    """A step that takes its time is shown meanwhile, and none at the end."""
    seen: list[tuple[tuple[str, ...], int, int]] = []
    shown = threading.Event()

    def look(running: list[str], ended: int, total: int) -> None:
        seen.append((tuple(running), ended, total))
        if running:
            shown.set()

    slow = Step("slow", lambda _abort: shown.wait(5))
    perform([slow], lambda _name, _seconds: None, look)
    assert seen[0] == (("slow",), 0, 1)
    assert seen[-1] == ((), 1, 1)
