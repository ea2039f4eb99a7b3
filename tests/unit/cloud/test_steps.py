# SPDX-License-Identifier: Apache-2.0
import threading

import pytest

from novadocker.cloud.steps import Step, perform


def _record(done: list[str], name: str) -> "Step":
    return Step(name, lambda _abort: done.append(name))


def test_a_step_waits_for_what_it_is_after() -> None:
    """Order follows the dependencies, not the list."""
    done: list[str] = []
    last = Step("last", lambda _abort: done.append("last"), after=("first",))
    perform([last, _record(done, "first")], lambda _name, _seconds: None)
    assert done == ["first", "last"]


def test_independent_steps_run_side_by_side() -> None:
    """Two steps that wait for each other's start both end."""
    barrier = threading.Barrier(2, timeout=5)
    steps = [Step(name, lambda _abort: barrier.wait()) for name in ("a", "b")]
    perform(steps, lambda _name, _seconds: None)


def test_each_step_is_reported_once() -> None:
    """Progress names every step that was done."""
    reported: list[str] = []
    steps = [Step(name, lambda _abort: None) for name in ("a", "b", "c")]
    perform(steps, lambda name, _seconds: reported.append(name))
    assert sorted(reported) == ["a", "b", "c"]


def test_the_first_failure_is_raised_and_nothing_after_it_begins() -> None:
    """Steps after a failed step are not tried; running steps are told to give up."""
    done: list[str] = []
    told = threading.Event()

    def fail(_abort: threading.Event) -> None:
        raise ValueError("first")

    def long(abort: threading.Event) -> None:
        if abort.wait(5):
            told.set()

    after = Step("after", lambda _abort: done.append("after"), after=("fail",))
    with pytest.raises(ValueError, match="first"):
        perform([Step("long", long), Step("fail", fail), after], lambda _name, _seconds: None)
    assert told.is_set()
    assert not done
