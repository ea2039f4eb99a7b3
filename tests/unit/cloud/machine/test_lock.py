# SPDX-License-Identifier: Apache-2.0
import threading
from pathlib import Path

import pytest

from novadocker.cloud.errors import HostUnfit
from novadocker.cloud.machine import lock


def test_a_second_command_is_refused_while_the_first_works(tmp_path: Path) -> None:
    """Two at once would each think the ports free; afterwards the next may."""
    with (
        lock.held(tmp_path),
        pytest.raises(HostUnfit, match="another novadocker-cloud"),
        lock.held(tmp_path),
    ):
        pass
    with lock.held(tmp_path):
        pass


def test_what_is_soon_done_is_waited_for(tmp_path: Path) -> None:
    """The second begins when the first has ended, and not before."""
    order: list[str] = []

    def second() -> None:
        with lock.awaited("packages", tmp_path):
            order.append("second")

    with lock.awaited("packages", tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_lock_follows_no_link_and_cuts_no_file(tmp_path: Path) -> None:
    """A link at the lock's place is refused, and a file's content is left alone."""
    victim = tmp_path / "victim"
    victim.write_text("kept")
    (tmp_path / "link").symlink_to(victim)
    with pytest.raises(OSError, match="link"), lock.awaited("link", tmp_path):
        pass
    with lock.awaited("victim", tmp_path):
        assert victim.read_text() == "kept"


def test_locks_are_in_a_directory_of_root_alone(tmp_path: Path) -> None:
    """Nobody else can put anything at a lock's place."""
    with lock.awaited("packages", tmp_path / "locks"):
        assert (tmp_path / "locks").stat().st_mode & 0o777 == 0o700
    assert lock.DIRECTORY.parent == Path("/run")
