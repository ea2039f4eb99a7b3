# SPDX-License-Identifier: Apache-2.0
"""SPECIFICATION.md beside the programs that assert it."""

import re

import pytest

from bench.archives import checking, costs
from bench.measuring import clicking, figures, neighbouring, orchestrating, wires
from tests.support.house.imports import ROOT

TEXT = (ROOT / "SPECIFICATION.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if line.startswith("|") and not line.startswith(("|---", "| promise"))
]
BOUNDS = {
    "create to ACTIVE": figures.MUST_ABOVE_FAKE,
    "the driver's own part": figures.MUST_TIMES_FLOOR,
    "each action": figures.MUST_TIMES_ENGINE,
    "wiring of a NIC": wires.MUST_WIRE,
    "wiring of 16 NICs": wires.MUST_WIRE_MANY,
    "cold load of 500 MB": figures.MUST_TIMES_LOAD,
    "memory by which nova-compute grows": figures.MUST_LOAD_GROW_MIB,
    "its load": figures.MUST_SHARED_TIMES_COLD,
    "processor time of a check": checking.MUST_NANOSECONDS_PER_BYTE,
    "memory of a check": checking.MUST_PEAK_MIB,
    "processor time that a hostile": costs.MUST_SECONDS,
    "memory that a hostile": costs.MUST_PEAK_MIB,
    "start of nova-compute with ten": neighbouring.MUST_START,
    "news of the thirtieth": neighbouring.MUST_NEWS_SECONDS,
    "Heat, above": orchestrating.MUST_ADD,
    "growth of a group": orchestrating.MUST_TIMES,
    "dashboard, from `up`": clicking.MUST_BE_USABLE,
    "dashboard, from the wizard": clicking.MUST_LAUNCH,
    "dispatch of the hybrid": figures.MUST_DISPATCH_MILLISECONDS,
    "a container's boot on a hybrid": figures.MUST_TIMES_ALONE,
}


@pytest.mark.parametrize("promise", BOUNDS)
def test_a_promise_has_the_bound_of_its_bench(promise: str) -> None:
    """The page and the program cannot drift apart."""
    (row,) = (each for each in ROWS if each[0].startswith(promise))
    found = re.match(r"[\d.]+", row[1])
    assert found
    assert float(found[0]) == BOUNDS[promise]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row[0]))
def test_a_promise_names_a_program_that_is_there(row: list[str]) -> None:
    """Each row says who asserts its bound."""
    _, _, by, seen = row
    path = ROOT / by.strip("`")
    assert path.is_file()
    assert seen
