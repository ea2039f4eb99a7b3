# SPDX-License-Identifier: Apache-2.0
import dataclasses

import pytest

from novadocker.virt.docker.container.guest import _epitaph
from novadocker.virt.docker.engine import Container, State

ENDED = Container(
    id="f" * 64,
    name="nova-1",
    labels={},
    state=State.EXITED,
    exit_code=137,
    finished_at="2026-01-01T00:00:00Z",
)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "ended with exit code 137 at 2026-01-01T00:00:00Z"),
        ({"out_of_memory": True}, "ended with exit code 137, out of memory at"),
        ({"exit_code": 0}, "ended with exit code 0 at"),
        ({"state": State.DEAD}, "ended with exit code 137"),
    ],
)
def test_the_console_says_how_the_process_ended(changes: dict[str, object], said: str) -> None:
    """A tenant sees the exit code and whether memory was the cause."""
    assert said in _epitaph(dataclasses.replace(ENDED, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("state", [State.RUNNING, State.PAUSED, State.CREATED])
def test_nothing_is_said_of_a_process_that_did_not_end(state: State) -> None:
    """The console is the process's own until then."""
    assert _epitaph(dataclasses.replace(ENDED, state=state)) == ""
