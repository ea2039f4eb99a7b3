# SPDX-License-Identifier: Apache-2.0
"""Work and memory of reading archives, counted: the same on a busy machine as on a quiet one."""

import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType
from typing import Any

from novadocker.archive import Bounds
from novadocker.archive.budget import Budget
from novadocker.archive.fault import Fault
from novadocker.archive.layers.layer import Content, PassingLayer
from novadocker.errors import ImageInvalid
from tests.unit.archive.reading import checked

PIECE = 1024 * 1024
_CALLS = frozenset({"call", "c_call"})


def calls(work: Callable[[], object]) -> int:
    """Return how many functions some work calls, those written in C among them."""
    count = 0

    def note(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in _CALLS

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def peak(work: Callable[[], object]) -> int:
    """Return the bytes that Python's objects take at most during some work."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def look(layer: bytes, bounds: Bounds | None = None) -> str:
    """Return why a layer is refused; nothing where it is sound."""
    bounds = bounds or Bounds()
    passing = PassingLayer("it", Content.TAR_LAYER, Budget.of(bounds), bounds)
    try:
        for at in range(0, len(layer), PIECE):
            for _ in passing.feed(layer[at : at + PIECE]):
                pass
        passing.finish()
    except Fault as fault:
        return str(fault)
    return ""


def judge(archive: bytes, bounds: Bounds | None = None) -> str:
    """Return why an archive is refused; nothing where it is sound."""
    try:
        for _ in checked(archive, chunk=PIECE, bounds=bounds):
            pass
    except ImageInvalid as refused:
        return str(refused)
    return ""
