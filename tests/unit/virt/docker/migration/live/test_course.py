# SPDX-License-Identifier: Apache-2.0
"""One move under way: counted, told and aborted."""

import pytest

from novadocker.errors import MoveAborted
from novadocker.virt.docker.migration.live.course import Course, Progress


def test_an_aborted_course_ends_at_the_next_piece() -> None:
    """Pieces before it have been sent."""
    course = Course(lambda _: None)
    pieces = course.files(iter([b"one", b"two"]))
    assert next(pieces) == b"one"
    assert course.abort()
    with pytest.raises(MoveAborted):
        next(pieces)


def test_nobody_aborts_after_the_decision() -> None:
    """The destination may run the server by then."""
    course = Course(lambda _: None)
    course.decide()
    assert not course.abort()
    course.go_on()


def test_a_decision_after_an_abort_fails() -> None:
    """An abort that was accepted is kept."""
    course = Course(lambda _: None)
    assert course.abort()
    with pytest.raises(MoveAborted):
        course.decide()


def test_bytes_are_counted_and_told_once_a_second() -> None:
    """Files and memory have counters of their own."""
    told: list[Progress] = []
    course = Course(told.append)
    course.update(disk_total=3, memory_total=2)
    assert [*course.files(iter([b"abc"]))] == [b"abc"]
    assert [*course.pages(iter([b"de"]))] == [b"de"]
    assert course.progress == Progress(disk_total=3, disk=3, memory_total=2, memory=2)
    assert len(told) == 1
