# SPDX-License-Identifier: Apache-2.0
import io

import pytest

from novadocker.client.progress import Progress, line

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("passed", "size", "shown"),
    [
        (0, 2 * MIB, "Doing [                              ]   0% of 2.0 MiB"),
        (MIB, 2 * MIB, "Doing [===============               ]  50% of 2.0 MiB"),
        (3 * MIB, 2 * MIB, "Doing [==============================] 100% of 2.0 MiB"),
        (3 * MIB, None, "Doing 3.0 MiB"),
    ],
)
def test_a_line_tells_how_far_it_is(passed: int, size: int | None, shown: str) -> None:
    """With a bar where the end is known."""
    assert line("Doing", passed, size) == shown


@pytest.mark.parametrize(
    ("passed", "size", "seconds", "told"),
    [
        (MIB, 2 * MIB, 1.9, "of 2.0 MiB"),
        (MIB, 131 * MIB, 2.0, "of 131.0 MiB, 0.5 MiB/s, 4:20 left"),
        (2 * MIB, 2 * MIB, 4.0, "100% of 2.0 MiB, 0.5 MiB/s"),
        (3 * MIB, None, 6.0, "3.0 MiB, 0.5 MiB/s"),
        (0, 2 * MIB, 9.0, "of 2.0 MiB"),
    ],
)
def test_a_line_tells_speed_and_time_left(
    passed: int, size: int | None, seconds: float, told: str
) -> None:
    """A transfer of two seconds or more tells both, where the end is known."""
    assert line("Doing", passed, size, seconds).endswith(told)


@pytest.mark.parametrize("wanted", [True, False, None])
def test_bytes_go_by_unchanged(wanted: bool | None) -> None:
    """Whether anybody looks or not; and what is no terminal is left alone unless asked for."""
    screen = io.StringIO()
    progress = Progress(wanted=wanted, screen=screen)
    assert list(progress.of([b"a", b"b"], "Doing", 2)) == [b"a", b"b"]
    assert ("100%" in screen.getvalue()) is bool(wanted)
    assert screen.getvalue().endswith("\n") is bool(wanted)
