# SPDX-License-Identifier: Apache-2.0
import pytest

from novadocker.virt.docker.console.screen import Screen


def test_a_new_viewer_is_shown_the_end() -> None:
    """No more than the bound, and from the beginning of a line."""
    screen = Screen(size=20)
    screen.show(b"first\r\n")
    assert screen.replay() == b"first\r\n"
    screen.show(b"second\r\n")
    screen.show(b"the third line\r\n# ")
    assert screen.replay() == b"the third line\r\n# "
    screen.show(b"x" * 100)
    assert screen.replay() == b"x" * 20


@pytest.mark.parametrize(
    "question",
    [b"\x1b[6n", b"\x1b[5n", b"\x1b[c", b"\x1b[>0c", b"\x1b[18t", b"\x1b]11;?\x07", b"\x1bZ"],
)
def test_a_replay_asks_nothing(question: bytes) -> None:
    """A later viewer's terminal would answer a question into the present program."""
    screen = Screen()
    screen.show(b"\x1b[1m/ # " + question + b"\x1b[J")
    assert screen.replay() == b"\x1b[1m/ # \x1b[J"
