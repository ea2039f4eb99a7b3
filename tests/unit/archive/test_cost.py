# SPDX-License-Identifier: Apache-2.0
"""Bounds on processor time and memory that a stranger's layer can cost."""

import hashlib
import time
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from novadocker.archive import Bounds
from novadocker.archive.fault import Fault
from novadocker.archive.layers.budget import Budget
from novadocker.archive.layers.layer import Content, PassingLayer
from tests.unit.archive import costly

MIB = 1024 * 1024
PIECE = MIB
SECONDS, HELD = 2.0, 64 * MIB
# Of one reference turn on a quiet machine of 2023; a busy or slow one is given more time.
REFERENCE_SECONDS = 0.055


def slowness() -> float:
    """Return how many times slower than a quiet machine this one is now, at least 1."""
    begun = time.process_time()
    seen: dict[int, bytes] = {}
    for number in range(100_000):
        name = b"%08d" % number
        seen[hash((number, name))] = name[:4]
    return max((time.process_time() - begun) / REFERENCE_SECONDS, 1.0)


def look(layer: bytes) -> str:
    """Return why a layer is refused; nothing where it is sound."""
    passing = PassingLayer("it", Content.TAR_LAYER, Budget.of(Bounds()), Bounds())
    try:
        for at in range(0, len(layer), PIECE):
            for _ in passing.feed(layer[at : at + PIECE]):
                pass
        passing.finish()
    except Fault as fault:
        return str(fault)
    return ""


def seconds(work: Callable[[bytes], object], layer: bytes) -> float:
    """Return the processor time of some work on a layer."""
    begun = time.process_time()
    work(layer)
    return time.process_time() - begun


@pytest.mark.parametrize("made", costly.LAYERS, ids=lambda made: made.__name__)
def test_no_layer_costs_two_seconds_beyond_its_hash(made: Callable[[], Iterator[bytes]]) -> None:
    """Each layer is read, or refused by a bound's name, within two seconds of a processor."""
    layer = costly.layer(made)
    slow = slowness()
    hashing = seconds(lambda data: hashlib.sha256(data).hexdigest(), layer)
    spent = seconds(look, layer)
    beyond = (spent - hashing) / max(slow, slowness())
    assert beyond < SECONDS


@pytest.mark.parametrize("made", costly.REMEMBERED, ids=lambda made: made.__name__)
def test_no_layer_holds_sixty_four_mebibytes(made: Callable[[], Iterator[bytes]]) -> None:
    """Names, links and ways of a layer are remembered in bounded memory."""
    layer = costly.layer(made)
    tracemalloc.start()
    try:
        look(layer)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < HELD
