# SPDX-License-Identifier: Apache-2.0
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor

import pytest

from novadocker.virt.docker.images import single_flight
from novadocker.virt.docker.images.single_flight import SingleFlight


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single_flight, "_LOOK_SECONDS", 0.02)


class Work:
    """Work that waits until it is let go or given up, and counts its runs."""

    def __init__(self) -> None:
        self.runs = 0
        self.undone = 0
        self.go = threading.Event()

    def __call__(self, expect_wanted: Callable[[], None]) -> int:
        """Return how many runs there were."""
        self.runs += 1
        deadline = time.monotonic() + 10
        try:
            while not self.go.wait(0.01):
                assert time.monotonic() < deadline
                expect_wanted()
        except CancelledError:
            self.undone += 1
            raise
        return self.runs


class Deleted(Exception):
    """A boot is not wanted any more."""


class Waiter:
    """Waits until it is told not to."""

    def __init__(self) -> None:
        self.deleted = False
        self.looks = 0

    def __call__(self) -> None:
        """Look."""
        self.looks += 1
        if self.deleted:
            raise Deleted


def seven(_expect_wanted: Callable[[], None]) -> int:
    """Return at flight."""
    return 7


def test_many_callers_cause_one_run_and_share_its_result() -> None:
    """Who asks while the work is done gets what it gives."""
    flight, work = SingleFlight[int](), Work()
    with ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(flight.run, "a", work) for _ in range(20)]
        time.sleep(0.2)
        work.go.set()
        assert {answer.result() for answer in answers} == {1}


def test_a_failure_reaches_all_who_wait_and_nobody_after() -> None:
    """The next caller tries again."""
    flight, started, fail = SingleFlight[int](), threading.Event(), threading.Event()

    def failing(_expect_wanted: Callable[[], None]) -> int:
        started.set()
        assert fail.wait(10)
        raise TimeoutError("no luck")

    with ThreadPoolExecutor(5) as pool:
        answers = [pool.submit(flight.run, "a", failing) for _ in range(5)]
        assert started.wait(10)
        time.sleep(0.2)
        fail.set()
        for answer in answers:
            with pytest.raises(TimeoutError, match="no luck"):
                answer.result()
    assert flight.run("a", seven) == 7


def test_other_keys_do_not_wait() -> None:
    """One slow image does not hold up another."""
    flight, slow = SingleFlight[int](), Work()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(flight.run, "slow", slow)
        assert flight.run("quick", seven) == 7
        slow.go.set()
        assert answer.result() == 1


def test_who_is_deleted_stops_waiting_and_the_others_go_on() -> None:
    """Even the one who asked first: the work is not his alone."""
    flight, work = SingleFlight[int](), Work()
    first, second = Waiter(), Waiter()
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(flight.run, "a", work, first)
        time.sleep(0.1)
        other = pool.submit(flight.run, "a", work, second)
        time.sleep(0.1)
        first.deleted = True
        with pytest.raises(Deleted):
            one.result(1)
        assert not other.done()
        work.go.set()
        assert other.result(5) == 1
    assert second.looks
    assert not work.undone


def test_work_that_nobody_waits_for_is_given_up() -> None:
    """With the last who waits goes the work; and it can be begun anew."""
    flight, work, waiter = SingleFlight[int](), Work(), Waiter()
    with ThreadPoolExecutor(2) as pool:
        answer = pool.submit(flight.run, "a", work, waiter)
        time.sleep(0.1)
        waiter.deleted = True
        with pytest.raises(Deleted):
            answer.result(1)
        assert flight.run("a", seven) == 7
    assert work.undone == 1


def test_who_comes_while_work_is_given_up_has_it_begun_anew() -> None:
    """He is not told that somebody else gave up, and does not meet what is being undone."""
    flight, waiter = SingleFlight[int](), Waiter()
    undoing, undone = threading.Event(), threading.Event()

    def slow_to_give_up(expect_wanted: Callable[[], None]) -> int:
        while True:
            try:
                expect_wanted()
            except CancelledError:
                undoing.set()
                assert undone.wait(10)
                raise
            time.sleep(0.01)

    with ThreadPoolExecutor(2) as pool:
        gone = pool.submit(flight.run, "a", slow_to_give_up, waiter)
        waiter.deleted = True
        assert undoing.wait(5)
        late = pool.submit(flight.run, "a", seven)
        time.sleep(0.1)
        assert not late.done()
        undone.set()
        assert late.result(5) == 7
        with pytest.raises(Deleted):
            gone.result(5)


def test_a_key_is_free_where_no_thread_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process at its limit of threads fails one call, and not all that ask for the key later."""
    flight: SingleFlight[int] = SingleFlight()

    def fail(thread: threading.Thread) -> None:
        raise RuntimeError(f"can't start new thread {thread.name}")

    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", fail)
        with pytest.raises(RuntimeError):
            flight.run("a", lambda expect_wanted: 1)
    assert flight.run("a", lambda expect_wanted: 2) == 2
