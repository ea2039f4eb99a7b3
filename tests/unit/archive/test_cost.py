# SPDX-License-Identifier: Apache-2.0
"""Bounds on work and memory that a stranger's archive can cost, counted and not timed.

``bench/hostile`` takes the processor time of the same archives.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from novadocker.archive import Bounds
from tests.unit.archive import costly, work

# A tenth of an image's usual allowance: the work grows with it, and the test's patience does not.
BOUNDS = replace(Bounds(), steps=200_000, entries=100_000)
# Two million steps are an image's, and ten million calls a second a slow processor's.
CALLS_A_STEP = 8
CALLS_A_BYTE = 1
# A whole allowance of names may take 64 MiB; the ways that are remembered have no tenth.
HELD = 64 * 1024 * 1024 // 10 + 4 * 1024 * 1024


@pytest.mark.parametrize("made", costly.LAYERS, ids=lambda made: made.__name__)
def test_a_layer_costs_its_budget_of_steps(made: Callable[[], Iterator[bytes]]) -> None:
    """A layer is read, or refused by a bound's name, after some calls for each step allowed."""
    layer = costly.layer(made)
    earned = len(layer) // BOUNDS.bytes_a_step
    counted = work.calls(lambda: work.look(layer, BOUNDS))
    assert counted < CALLS_A_STEP * (BOUNDS.steps + earned)


@pytest.mark.parametrize("made", costly.REFUSED, ids=lambda made: made.__name__)
def test_a_layer_beyond_its_budget_is_refused_by_name(
    made: Callable[[], Iterator[bytes]],
) -> None:
    """A layer of more work than an image may cost is refused with the bound that it passes."""
    said = work.look(costly.layer(made), BOUNDS)
    assert f"more than {BOUNDS.steps} steps" in said or f"more than {BOUNDS.entries} files" in said


@pytest.mark.parametrize("made", costly.REMEMBERED, ids=lambda made: made.__name__)
def test_a_layer_holds_its_budget_of_names(made: Callable[[], Iterator[bytes]]) -> None:
    """Names, links and ways of a layer are remembered in bounded memory."""
    layer = costly.layer(made)
    assert work.peak(lambda: work.look(layer, BOUNDS)) < HELD


@pytest.mark.parametrize("pack", costly.PACKED, ids=lambda pack: pack.__name__)
@pytest.mark.parametrize("outer", [True, False], ids=["archive", "layer"])
def test_a_stream_of_beginnings_costs_its_budget(
    saved_images: Any, pack: Callable[[bytes], bytes], outer: bool
) -> None:
    """A stream of members, frames or blocks that hold nothing is refused within its steps."""
    layer = saved_images.layer()
    plain = saved_images.old_style(layer)
    packed = saved_images.old_style(pack(layer), config=plain.members[config_of(plain)])
    archive = pack(plain.tar()) if outer else packed.tar()
    counted = work.calls(lambda: work.judge(archive, BOUNDS))
    assert counted < CALLS_A_STEP * (BOUNDS.steps + len(archive) // BOUNDS.bytes_a_step)


@pytest.mark.parametrize("made", costly.ARCHIVES, ids=lambda made: made.__name__)
def test_documents_are_read_once_each(saved_images: Any, made: Callable[[Any], bytes]) -> None:
    """Documents that name each other thousands of times cost calls by their bytes alone."""
    archive = made(saved_images)
    assert work.calls(lambda: work.judge(archive)) < CALLS_A_BYTE * len(archive)


def config_of(archive: Any) -> str:
    """Return the name of the config in a saved archive."""
    (entry,) = json.loads(archive.members["manifest.json"])
    return str(entry["Config"])
