# SPDX-License-Identifier: Apache-2.0
"""docs/architecture.md names every package and every module that stands beside packages."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "architecture.md").read_text()
PART = TEXT.index("| package of `virt/docker/` |")
CLOUD = TEXT.index("| package of `cloud/` |")
PACKAGES = {".": TEXT[:PART], "virt/docker": TEXT[PART:CLOUD], "cloud": TEXT[CLOUD:]}


def members(package: str) -> list[str]:
    """Return the names of the modules and packages in a package."""
    found = [each for each in (ROOT / "novadocker" / package).iterdir() if each.name[0] != "_"]
    # A folder that moved leaves the interpreter's cache behind.
    kept = (each for each in found if each.is_file() or any(each.glob("*.py")))
    return sorted(each.stem for each in kept)


@pytest.mark.parametrize("package", list(PACKAGES))
def test_every_package_is_named(package: str) -> None:
    """A name counts by itself, not as a part of a longer name or of a file's."""
    named = re.compile(r"(?<![\w.-])\w+(?![\w-]|\.\w)").findall(PACKAGES[package])
    assert [member for member in members(package) if member not in named] == []
