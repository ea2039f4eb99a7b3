# SPDX-License-Identifier: Apache-2.0
"""Bounds on processor time and memory that a stranger's layer can cost."""

import hashlib
import json
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from novadocker.archive import Bounds
from novadocker.archive.budget import Budget
from novadocker.archive.fault import Fault
from novadocker.archive.layers.layer import Content, PassingLayer
from novadocker.errors import ImageInvalid
from tests.unit.archive import costly
from tests.unit.archive.reading import checked

MIB = 1024 * 1024
PIECE = MIB
SECONDS, HELD = 2.0, 64 * MIB
# The least of some turns counts: others use the processor's caches meanwhile.
TURNS = 4
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


def judge(archive: bytes) -> str:
    """Return why an archive is refused; nothing where it is sound."""
    try:
        for _ in checked(archive, chunk=PIECE):
            pass
    except ImageInvalid as refused:
        return str(refused)
    return ""


def seconds(work: Callable[[bytes], object], layer: bytes) -> float:
    """Return the processor time of some work on a layer."""
    begun = time.process_time()
    work(layer)
    return time.process_time() - begun


def scaled(work: Callable[[bytes], object], data: bytes) -> float:
    """Return the processor time of some work, as on a quiet machine."""
    slow = slowness()
    spent = seconds(work, data)
    return spent / max(slow, slowness())


def beyond_hashing(layer: bytes) -> float:
    """Return the processor time that a layer costs beyond its hash, as on a quiet machine."""
    slow = slowness()
    hashing = seconds(lambda data: hashlib.sha256(data).hexdigest(), layer)
    return (seconds(look, layer) - hashing) / max(slow, slowness())


@pytest.mark.parametrize("made", costly.LAYERS, ids=lambda made: made.__name__)
def test_no_layer_costs_two_seconds_beyond_its_hash(made: Callable[[], Iterator[bytes]]) -> None:
    """Each layer is read, or refused by a bound's name, within two seconds of a processor."""
    layer = costly.layer(made)
    assert any(beyond_hashing(layer) < SECONDS for _ in range(TURNS))


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


@pytest.mark.parametrize("pack", costly.PACKED, ids=lambda pack: pack.__name__)
@pytest.mark.parametrize("outer", [True, False], ids=["archive", "layer"])
def test_no_compression_costs_two_seconds(
    saved_images: Any, pack: Callable[[bytes], bytes], outer: bool
) -> None:
    """A stream of nothing but beginnings is refused, of an archive and of a layer."""
    layer = saved_images.layer()
    plain = saved_images.old_style(layer)
    packed = saved_images.old_style(pack(layer), config=plain.members[config_of(plain)])
    archive = pack(plain.tar()) if outer else packed.tar()
    assert any(scaled(judge, archive) < SECONDS for _ in range(TURNS))


@pytest.mark.parametrize("made", costly.ARCHIVES, ids=lambda made: made.__name__)
def test_no_document_costs_two_seconds(saved_images: Any, made: Callable[[Any], bytes]) -> None:
    """Documents that name each other thousands of times are read once each."""
    archive = made(saved_images)
    assert any(scaled(judge, archive) < SECONDS for _ in range(TURNS))


def config_of(archive: Any) -> str:
    """Return the name of the config in a saved archive."""
    (entry,) = json.loads(archive.members["manifest.json"])
    return str(entry["Config"])
