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
