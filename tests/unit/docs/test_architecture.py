# SPDX-License-Identifier: Apache-2.0
"""docs/architecture.md: every room of the house is in it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "architecture.md").read_text()
PART = TEXT.index("| room of `cloud/` |")
HOUSES = {"virt/docker": TEXT[:PART] + TEXT[TEXT.index("\n\n", PART) :], "cloud": TEXT[PART:]}


def rooms(house: str) -> list[str]:
    """Name the modules and folders of a package."""
    found = (ROOT / "novadocker" / house).iterdir()
    return sorted(each.stem for each in found if not each.name.startswith("_"))


@pytest.mark.parametrize("house", list(HOUSES))
def test_every_room_is_named(house: str) -> None:
    """By itself, not as a part of a longer name or of a file's."""
    named = re.compile(r"(?<![\w.-])\w+(?![\w-]|\.\w)").findall(HOUSES[house])
    assert [room for room in rooms(house) if room not in named] == []
