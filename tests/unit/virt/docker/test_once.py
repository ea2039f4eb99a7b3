# SPDX-License-Identifier: Apache-2.0
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from novadocker.virt.docker.once import Once


class Work:
    """Work that waits until it is let go, and counts its runs."""

    def __init__(self) -> None:
        self.runs = 0
        self.go = threading.Event()

    def __call__(self) -> int:
        """Return how many runs there were."""
        self.runs += 1
        assert self.go.wait(10)
        return self.runs


def test_many_callers_cause_one_run_and_share_its_result() -> None:
    """Who asks while the work is done gets what it gives."""
    once, work = Once[int](), Work()
    with ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(once.do, "a", work) for _ in range(20)]
        time.sleep(0.2)
        work.go.set()
        assert {answer.result() for answer in answers} == {1}


def test_a_failure_reaches_all_who_wait_and_nobody_after() -> None:
    """The next caller tries again."""
    once, started, fail = Once[int](), threading.Event(), threading.Event()

    def failing() -> int:
        started.set()
        assert fail.wait(10)
        raise OSError("no luck")

    with ThreadPoolExecutor(5) as pool:
        answers = [pool.submit(once.do, "a", failing) for _ in range(5)]
        assert started.wait(10)
        time.sleep(0.2)
        fail.set()
        for answer in answers:
            with pytest.raises(OSError, match="no luck"):
                answer.result()
    assert once.do("a", lambda: 7) == 7


def test_other_keys_do_not_wait() -> None:
    """One slow image does not hold up another."""
    once, slow = Once[int](), Work()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(once.do, "slow", slow)
        assert once.do("quick", lambda: 5) == 5
        slow.go.set()
        assert answer.result() == 1
