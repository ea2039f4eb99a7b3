# SPDX-License-Identifier: Apache-2.0
"""Processor time and memory of archives that are made to cost much of both."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from bench.measuring.figures import Verdict
from tests.support.saved_images import SavedImages
from tests.unit.archive import costly, work

MIB = 1024 * 1024
# The issue's: beyond the hash of its bytes, whatever is in them.
MUST_SECONDS = 2.0
MUST_PEAK_MIB = 64.0
# Of one reference turn on a quiet machine of 2023; a busy or slow one is given more time.
REFERENCE_SECONDS = 0.055
HEADING = f"{'':34}{'MiB':>9}{'hash s':>9}{'beyond s':>10}{'peak MiB':>10}  answer"
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"  # proc(5): the peak begins again from what is resident now


@dataclass(frozen=True)
class Case:
    """Hostile archive or layer.

    Attributes:
        name: words for the table.
        data: the bytes.
        judge: reader under test; its answer is the reason of a refusal.
    """

    name: str
    data: bytes
    judge: Callable[[bytes], str]


@dataclass(frozen=True)
class Cost:
    """Measurements of a case, of which the least of some turns counts.

    Attributes:
        name: the case's.
        size: bytes.
        hashing: seconds of the processor for their hash.
        beyond: seconds beyond that, as on a quiet machine.
        peak: bytes that became resident meanwhile.
        answer: reason of the refusal, or nothing.
    """

    name: str
    size: int
    hashing: float
    beyond: float
    peak: int
    answer: str

    def __str__(self) -> str:
        sizes = f"{self.size / MIB:9.1f}{self.hashing:9.3f}{self.beyond:10.3f}"
        return f"{self.name:34}{sizes}{self.peak / MIB:10.1f}  {self.answer[-60:] or 'sound'}"


def cases() -> Iterator[Case]:
    """Give the hostile corpus, one at a time."""
    for made in costly.LAYERS:
        yield Case(f"layer: {made.__name__}", b"".join(made()) + bytes(1024), work.look)
    images = SavedImages()
    layer = images.layer()
    plain = images.old_style(layer)
    (entry,) = json.loads(plain.members["manifest.json"])
    for pack in costly.PACKED:
        yield Case(f"archive: {pack.__name__}", pack(plain.tar()), work.judge)
        packed = images.old_style(pack(layer), config=plain.members[entry["Config"]])
        yield Case(f"layer: {pack.__name__}", packed.tar(), work.judge)
    for documents in costly.ARCHIVES:
        yield Case(f"archive: {documents.__name__}", documents(images), work.judge)


def measure(case: Case, turns: int) -> Cost:
    """Read a case some times, each time in a process of its own.

    Args:
        case: archive or layer.
        turns: how often.
    """
    costs = []
    for _ in range(turns):
        # What a turn has freed would hide what the next one takes.
        with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
            costs.append(pool.submit(_turn, case).result())
    return min(costs, key=lambda cost: cost.beyond)


def verdicts(costs: list[Cost]) -> list[Verdict]:
    """Judge the dearest of all."""
    slowest = max(costs, key=lambda cost: cost.beyond)
    largest = max(costs, key=lambda cost: cost.peak)
    return [
        Verdict(f"beyond the hash, {slowest.name}", slowest.beyond, MUST_SECONDS, "s"),
        Verdict(f"memory, {largest.name}", largest.peak / MIB, MUST_PEAK_MIB, "MiB"),
    ]


def slowness() -> float:
    """Return how many times slower than a quiet machine this one is now, at least 1."""
    begun = time.process_time()
    seen: dict[int, bytes] = {}
    for number in range(100_000):
        name = b"%08d" % number
        seen[hash((number, name))] = name[:4]
    return max((time.process_time() - begun) / REFERENCE_SECONDS, 1.0)


def _turn(case: Case) -> Cost:
    slow = slowness()
    hashing = _seconds(lambda: hashlib.sha256(case.data).hexdigest())
    _CLEAR.write_text(_RESET_PEAK)
    before = _resident("VmRSS")
    answers: list[str] = []
    spent = _seconds(lambda: answers.append(case.judge(case.data)))
    peak = _resident("VmHWM") - before
    beyond = max(spent - hashing, 0.0) / max(slow, slowness())
    return Cost(case.name, len(case.data), hashing, beyond, peak, answers[0])


def _seconds(work_of: Callable[[], object]) -> float:
    begun = time.process_time()
    work_of()
    return time.process_time() - begun


def _resident(name: str) -> int:
    (line,) = (each for each in _STATUS.read_text().splitlines() if each.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024
