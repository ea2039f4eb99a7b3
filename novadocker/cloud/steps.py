# SPDX-License-Identifier: Apache-2.0
"""Steps in an order of dependence, done side by side where independent."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from graphlib import TopologicalSorter

# Most of a step is waiting for other processes.
_THREADS = 32

# Called with a step's name and its seconds when it is done.
Report = Callable[[str, float], None]
# Called now and then with the names of the steps under way, the number of those done and of all.
Look = Callable[[Sequence[str], int, int], None]
_LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Step:
    """Something to do once.

    Args:
        name: by which others name it, and which its line of progress shows.
        action: work of the step; gets an event that is set when another step has failed.
        after: the names of the steps that must be done before.
    """

    name: str
    action: Callable[[threading.Event], None]
    after: tuple[str, ...] = ()


def _unseen(_running: Sequence[str], _ended: int, _total: int) -> None:
    """Look at nothing."""


def perform(steps: Iterable[Step], report: Report, look: Look = _unseen) -> None:
    """Do all steps; raise the first failure when the others have stopped.

    Args:
        steps: the steps, in any order.
        report: called with name and seconds when a step is done.
        look: called now and then with the steps under way.
    """
    by_name = {step.name: step for step in steps}
    order = TopologicalSorter({name: step.after for name, step in by_name.items()})
    order.prepare()
    abort = threading.Event()
    with ThreadPoolExecutor(_THREADS) as pool:
        try:
            failures = _perform(pool, by_name, order, abort, report, look)
        finally:
            # Whatever happens, an interruption too: nobody waits for more than a moment.
            abort.set()
    if failures:
        raise failures[0]


def _perform(
    pool: ThreadPoolExecutor,
    steps: Mapping[str, Step],
    order: TopologicalSorter[str],
    abort: threading.Event,
    report: Report,
    look: Look,
) -> list[BaseException]:
    running: dict[Future[float], str] = {}
    failures: list[BaseException] = []
    ended = 0
    while order.is_active() and not (failures and not running):
        for name in () if failures else order.get_ready():
            running[pool.submit(_timed, steps[name].action, abort)] = name
        look(sorted(running.values()), ended, len(steps))
        done, _ = wait(running, _LOOK_SECONDS, return_when=FIRST_COMPLETED)
        for future in done:
            name = running.pop(future)
            error = future.exception()
            if error is not None:
                failures.append(error)
                abort.set()
                continue
            ended += 1
            report(name, future.result())
            order.done(name)
    look((), ended, len(steps))
    return failures


def timed(report: Report, name: str, action: Callable[[], object]) -> None:
    """Do something at once and report how long it took."""
    began = time.monotonic()
    action()
    report(name, time.monotonic() - began)


def _timed(action: Callable[[threading.Event], None], abort: threading.Event) -> float:
    began = time.monotonic()
    action(abort)
    return time.monotonic() - began
